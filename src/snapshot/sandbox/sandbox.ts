import { chmod, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { HostCapabilities } from "../../podman/capabilities.js";
import { cgroupParentFor } from "../../podman/cgroup-usage.js";
import type { ChosenGpus } from "../../podman/gpus.js";
import type { ContainerPlan, ContainerRoot } from "../../podman/plan-container.js";
import { seccompProfile } from "../../podman/seccomp-profile.js";
import { skeletonRoot } from "../../podman/skeleton-root.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import { limitsRoot } from "./requirements.js";
import { volumeOf } from "./sandbox-folder.js";
import { layersIn, makeLayers } from "./sandbox-layers.js";
import { containerNameOf } from "./sandbox-names.js";

/** This machine's own programs, or an image that is here, and by which digest it, or what it was built on, is known. */
export type SandboxBase =
  | { readonly kind: "host" }
  | { readonly kind: "image"; readonly id: string; readonly reference: string };

/** What a sandbox is made of. */
export interface SandboxParts {
  /** Letters and digits: part of the container's name. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The files that it begins with; never written. */
  readonly tree: string;
  /** A folder of its own, which is there. */
  readonly folder: string;
  readonly base: SandboxBase;
  readonly settings: SnapshotSettings;
  readonly seconds: number;
  /** The caller's environment: for podman, never for the sandbox. */
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  readonly network: ContainerPlan["network"];
  readonly devices: ChosenGpus;
}

/** A sandbox's container as plain data; its folder and layers are made, and all that is left is to start it. */
export interface Sandbox<C extends ContainerPlan["command"]> {
  readonly plan: ContainerPlan & { command: C };
  /** `host`, or the image's id. */
  readonly image: string;
}

/** Makes the folder ready, and the plan of a container in which `command` runs. */
export async function prepareSandbox<C extends ContainerPlan["command"]>(
  parts: SandboxParts,
  command: C,
  host: HostCapabilities,
): Promise<Sandbox<C>> {
  const { id, folder, settings } = parts;
  const [root] = await Promise.all([rootFor(parts, host), makeLayers(parts, host)]);
  const layers = layersIn(folder, settings);
  const { security, limits } = settings;
  const name = containerNameOf(id);
  const profile = await writeProfile(folder, security.seccomp !== false);
  const plan: ContainerPlan & { command: C } = {
    name,
    labels: parts.labels,
    root: root.kind === "skeleton" ? { ...root, path: await linkTo(root.path, path.join(folder, "root")) } : root,
    app: layers.kind === "copy" ? { folder: layers.copy } : layers,
    user: security.user,
    namespaces: settings.namespaces,
    ...(parts.network && { network: parts.network }),
    security: {
      seccompProfile: profile,
      apparmor: security.apparmor !== false,
      selinux: security.selinux !== false,
      readOnlyRoot: security.readOnlyRoot,
      noNewPrivileges: security.noNewPrivileges,
      capabilities: security.capabilities,
    },
    limits: { cpus: limits.cpus, memoryBytes: limits.memoryBytes, pids: limits.pids, seconds: parts.seconds },
    env: settings.env,
    ...parts.devices,
    cgroupParent: cgroupParentFor(host, name),
    command,
  };
  return { plan, image: root.kind === "skeleton" ? "host" : root.id };
}

async function rootFor(
  { base, settings, cacheDir, folder }: SandboxParts,
  host: HostCapabilities,
): Promise<ContainerRoot> {
  if (base.kind === "image") return { kind: "image", id: base.id };
  const { security, namespaces } = settings;
  const root = await skeletonRoot(path.resolve(cacheDir), security.user, namespaces);
  if (security.readOnlyRoot || !limitsRoot(host, settings, base)) return root;
  const volume = volumeOf(folder);
  return { ...root, changes: { upper: path.join(volume, "upper-root"), work: path.join(volume, "work-root") } };
}

/** Podman separates its arguments by colons and commas, which a link's own name has not. */
async function linkTo(target: string, link: string): Promise<string> {
  await symlink(target, link);
  return link;
}

async function writeProfile(folder: string, wanted: boolean): Promise<string | undefined> {
  if (!wanted) return undefined;
  const profile = path.join(folder, "seccomp.json");
  await writeFile(profile, JSON.stringify(seccompProfile()));
  await chmod(profile, 0o644);
  return profile;
}
