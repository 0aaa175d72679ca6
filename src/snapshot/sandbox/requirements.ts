import { KaiError } from "../../error.js";
import { type Feature, type FeatureName, featureOf, type HostCapabilities } from "../../podman/capabilities.js";
import { podmanMissing } from "../../podman/podman.js";
import { type ProbeRequest, probeHost } from "../../podman/probe-host.js";
import { requireVmRuntime } from "../../podman/vm-runtime.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import type { SandboxBase } from "./sandbox.js";
import { isCopied } from "./sandbox-layers.js";

/** `true`: where the host has it; `required`: E103 where it has not. */
type Wanted = boolean | "required";

export interface WantedSecurity {
  seccomp: Wanted;
  apparmor: Wanted;
  selinux: Wanted;
}

const LIMITS: readonly FeatureName[] = ["memory", "cpu", "pids", "storage"];

/** This machine, and what of the limits it does not enforce for these settings. */
export interface FittingHost {
  readonly host: HostCapabilities;
  readonly unenforced: readonly string[];
}

/** Looks at what this machine can isolate, and refuses what it cannot as it was asked for. E103, E117. */
export async function findHost(settings: SnapshotSettings, request: ProbeRequest): Promise<FittingHost> {
  const usual = await probeHost(request);
  const host = settings.process === "vm" ? requireVmRuntime(usual, request.env) : usual;
  return { host, unenforced: requireSettings(host, settings) };
}

/**
 * Throws E117 without podman and E103 where an isolation that was asked for cannot be had. Gives the limits that this
 * machine does not enforce, so that the result says so.
 */
export function requireSettings(host: HostCapabilities, settings: SnapshotSettings): string[] {
  const { security, filesystem, network } = settings;
  if (host.podman === undefined) throw podmanMissing();
  const required: FeatureName[] = ["podman", "runtime", "network"];
  // One in memory, or on a disk of the sandbox's own, asks nothing of temp_dir's file system.
  const isElsewhere = filesystem === "tmpfs" || featureOf(host, "storage")?.state === "ok";
  if (!isCopied(settings) && !isElsewhere) required.push("overlay");
  // A filter that was asked for and is not there would be a weaker sandbox that looks the same.
  if (security.seccomp !== false) required.push("seccomp");
  if (security.apparmor === "required") required.push("apparmor");
  if (security.selinux === "required") required.push("selinux");
  for (const name of required) {
    const feature = featureOf(host, name);
    if (feature?.state !== "ok") throw notIsolated(name, feature);
  }
  // The proxy listens in the network of this machine's kernel, which such a sandbox does not see.
  if (network.mode === "isolated" && host.ownKernel === true) throw unreachable();
  // A tmpfs has a size of its own everywhere.
  const limits = filesystem === "tmpfs" ? LIMITS.filter((name) => name !== "storage") : LIMITS;
  return limits.filter((name) => featureOf(host, name)?.state !== "ok");
}

/** Whether what is written into a root that can be written is limited as all else that a sandbox writes: see `mountOverlays`. */
export const limitsRoot = (
  host: HostCapabilities,
  { filesystem, namespaces }: Pick<SnapshotSettings, "filesystem" | "namespaces">,
  base: Pick<SandboxBase, "kind">,
): boolean =>
  base.kind === "host" &&
  !host.rootless &&
  host.ownKernel !== true &&
  // Its root could not enter the folder.
  !namespaces.includes("user") &&
  (filesystem === "tmpfs" || featureOf(host, "storage")?.state === "ok");

/** What is not enforced, with the base known: a root that can be written may be beyond the limit of storage. */
export const unenforcedOn = (
  { host, unenforced }: FittingHost,
  settings: SnapshotSettings,
  base: Pick<SandboxBase, "kind">,
): readonly string[] =>
  settings.security.readOnlyRoot || limitsRoot(host, settings, base) || unenforced.includes("storage")
    ? unenforced
    : [...unenforced, "storage"];

const unreachable = (): KaiError =>
  new KaiError("E103", "A sandbox with a kernel of its own cannot reach the proxy of network mode isolated.", {
    hint: "Choose network mode none or bridge, or process isolation container.",
  });

function notIsolated(name: FeatureName, feature: Feature | undefined): KaiError {
  return new KaiError("E103", `A sandbox cannot be isolated here: ${name}: ${feature?.detail ?? "not known"}.`, {
    hint: feature?.remedy ?? "`git kai-version doctor` shows what an administrator must do.",
  });
}
