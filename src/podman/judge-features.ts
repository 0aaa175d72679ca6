import type { Feature, FeatureName, FeatureState } from "./capabilities.js";
import { INSTALL_PODMAN } from "./podman.js";
import { judgeCpu } from "./probe-script.js";

/** What `podman info` says, as far as it matters here. */
export interface PodmanInfo {
  version: string;
  rootless: boolean;
  cgroups: "v1" | "v2" | "hybrid" | "unknown";
  cgroupManager: string;
  defaultRuntime: string;
  apparmor: boolean;
  selinux: boolean;
}

/** What came of the first container. */
export interface ProbeOutcome {
  runtime: string | undefined;
  /** Podman's words for each runtime that did not start it. */
  refusals: readonly { runtime: string; reason: string }[];
  facts: ReadonlyMap<string, string>;
  /** False where it could only be started without limits. */
  limited: boolean;
  oomKilled: boolean;
  quota: boolean;
}

/** Each feature of a sandbox as this machine has it. */
export function judgeFeatures(info: PodmanInfo, probe: ProbeOutcome): Feature[] {
  return [
    feature("podman", "ok", `${info.version}, ${info.rootless ? "rootless" : "rootful"}, cgroup ${info.cgroups}`),
    runtimeFeature(probe),
    ...(probe.runtime === undefined ? [] : insideFeatures(info, probe)),
    info.apparmor
      ? feature("apparmor", "ok", "enabled")
      : feature("apparmor", "missing", "not enabled on this host", "Boot with `apparmor=1` and install apparmor."),
    info.selinux
      ? feature("selinux", "ok", "enabled")
      : feature(
          "selinux",
          "missing",
          "not enabled on this host",
          "Use a host with SELinux where a policy requires it.",
        ),
  ];
}

const GIVE_SUBORDINATE_IDS =
  "As root, for this user: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`, then as the user `podman system migrate`.";

function runtimeFeature({ runtime, refusals }: ProbeOutcome): Feature {
  const refused = refusals.map((each) => `${each.runtime}: ${each.reason}`).join("; ");
  const remedy = refused.includes("/etc/subuid") ? GIVE_SUBORDINATE_IDS : `Run \`${INSTALL_PODMAN}\`.`;
  return runtime === undefined
    ? feature("runtime", "missing", refused || "no OCI runtime was found", remedy)
    : feature("runtime", "ok", refused === "" ? runtime : `${runtime} (${refused})`);
}

function insideFeatures(info: PodmanInfo, { facts, limited, oomKilled, quota }: ProbeOutcome): Feature[] {
  const delegate =
    info.cgroups === "v2"
      ? "As root: `systemctl set-property user.slice Delegate=yes`, then log in again."
      : "Run as root, or boot with cgroup v2 (`systemd.unified_cgroup_hierarchy=1`).";
  const limit = (name: FeatureName, bites: boolean) =>
    bites
      ? feature(name, "ok", "the limit bites")
      : feature(name, "unenforced", "the limit does nothing here", delegate);
  const links = facts.get("links") ?? "";
  const pidsBite = facts.get("pids") === "bound";
  return [
    facts.get("overlay") === "writable"
      ? feature("overlay", "ok", "native")
      : feature("overlay", "missing", "temp_dir's file system can have none", overlayRemedy(quota)),
    links === "lo"
      ? feature("network", "ok", "nothing but loopback inside")
      : feature(
          "network",
          "missing",
          `inside there are ${links || "no links to be seen"}`,
          "Allow network namespaces.",
        ),
    facts.get("Seccomp") === "2"
      ? feature("seccomp", "ok", "filter in force")
      : feature("seccomp", "missing", "system calls are not filtered", "Use a kernel and a runtime with seccomp."),
    limit("memory", oomKilled),
    cpuFeature(facts, { limited, othersBite: oomKilled || pidsBite }, limit),
    limit("pids", pidsBite),
    quota
      ? feature("storage", "ok", "a file system of its own for each sandbox")
      : feature(
          "storage",
          "unenforced",
          "no loop device for a file system of limited size",
          "Run as root with /dev/loop-control.",
        ),
  ];
}

const overlayRemedy = (quota: boolean): string =>
  `Put temp_dir on ext4, XFS or Btrfs: ${quota ? "sandboxes have disks of their own as it is, and lose nothing" : "a sandbox has to be a copy there (`snapshot create --type full`)"}.`;

/**
 * Podman has set the limit where nothing says that it does not bite. Where the others of the same control group do nothing, one that was not
 * seen to bite does nothing either, however busy the machine is.
 */
function cpuFeature(
  facts: ProbeOutcome["facts"],
  { limited, othersBite }: { readonly limited: boolean; readonly othersBite: boolean },
  limit: (name: FeatureName, bites: boolean) => Feature,
): Feature {
  const bites = limited ? (judgeCpu(facts) ?? (othersBite ? undefined : false)) : false;
  return bites === undefined ? feature("cpu", "ok", UNSEEN) : limit("cpu", bites);
}

/** Of a limit that was set and not seen to bite. */
export const UNSEEN = "set; this machine was too busy to see the limit bite";

const feature = (name: FeatureName, state: FeatureState, detail: string, remedy?: string): Feature => ({
  name,
  state,
  detail,
  ...(remedy === undefined ? {} : { remedy }),
});
