import type { HostCapabilities } from "./capabilities.js";

export interface BindMount {
  host: string;
  inside: string;
}

/** What a container stands on: a skeleton over the host's own programs, or an image by its id. */
export type ContainerRoot =
  | { kind: "skeleton"; path: string; mounts: readonly BindMount[] }
  | { kind: "image"; id: string };

interface ContainerSecurity {
  /** Path of the profile; undefined leaves system calls unfiltered. */
  seccompProfile: string | undefined;
  apparmor: boolean;
  selinux: boolean;
  readOnlyRoot: boolean;
  noNewPrivileges: boolean;
  /** Capabilities given back after all were dropped. */
  capabilities: readonly string[];
}

interface ContainerLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
  /** Seconds after which the container's own monitor ends it, whatever became of us. */
  seconds: number;
}

/** One container, as plain data. Paths are absolute and hold no colon and no comma. */
export interface ContainerPlan {
  name: string;
  labels: Readonly<Record<string, string>>;
  root: ContainerRoot;
  /** The folder shown as /app: never written, changes go to `upper`. */
  app: { lower: string; upper: string; work: string };
  user: { uid: number; gid: number };
  security: ContainerSecurity;
  limits: ContainerLimits;
  env: Readonly<Record<string, string>>;
  /** A control group of its own, in which the figures outlive the container; undefined where podman chooses. */
  cgroupParent: string | undefined;
  command: readonly [string, ...string[]];
}

const MIB = 1024 * 1024;
/** /tmp counts as memory, so it is a share of it. */
const TMP_SHARE = 4;
const MAX_FILES = 4096;
/** Podman lowers its own limit to this, and only some kernels' root may raise it again. */
const MAX_PROCESSES = 32_768;

/** The arguments of `podman` that run `plan` on `host`: everything shut, then opened one by one. */
export function planContainer(plan: ContainerPlan, host: HostCapabilities): string[] {
  const { root, app, user, env } = plan;
  return [
    ...(host.runtime === undefined ? [] : ["--runtime", host.runtime]),
    "run",
    ...["--name", plan.name],
    ...Object.entries(plan.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...["--log-driver", "none", "--sig-proxy=false", "--no-healthcheck"],
    ...["--network", "none", "--no-hosts", "--hostname", "sandbox", "--http-proxy=false"],
    ...["--cgroupns", "private", "--pid", "private", "--uts", "private"],
    ...["--ipc", "private", "--shm-size", String(sharedMemory(plan.limits))],
    ...(host.rootless ? [`--userns=keep-id:uid=${user.uid},gid=${user.gid}`] : []),
    ...["--user", `${user.uid}:${user.gid}`],
    ...securityArguments(plan.security),
    ...["--tmpfs", `/tmp:rw,nosuid,nodev,size=${sharedMemory(plan.limits)},mode=1777,notmpcopyup`],
    ...limitArguments(plan, host),
    ...["--volume", `${app.lower}:/app:O,upperdir=${app.upper},workdir=${app.work}`, "--workdir", "/app"],
    ...Object.entries({ HOME: "/tmp", LANG: "C.UTF-8", ...env }).flatMap(([key, value]) => [
      "--env",
      `${key}=${value}`,
    ]),
    ...rootArguments(root, plan.command),
  ];
}

const sharedMemory = (limits: ContainerLimits): number =>
  Math.max(MIB, Math.floor(limits.memoryBytes / TMP_SHARE / MIB) * MIB);

function securityArguments(security: ContainerSecurity): string[] {
  return [
    ...["--cap-drop", "all"],
    ...security.capabilities.flatMap((capability) => ["--cap-add", capability]),
    ...(security.noNewPrivileges ? ["--security-opt", "no-new-privileges"] : []),
    ...["--security-opt", `seccomp=${security.seccompProfile ?? "unconfined"}`],
    ...(security.apparmor ? [] : ["--security-opt", "apparmor=unconfined"]),
    ...(security.selinux ? [] : ["--security-opt", "label=disable"]),
    ...(security.readOnlyRoot ? ["--read-only", "--read-only-tmpfs=false"] : []),
  ];
}

function limitArguments({ limits, cgroupParent }: ContainerPlan, host: HostCapabilities): string[] {
  // A limit that the host cannot set makes some versions of podman fail and others warn; it is not asked for.
  const settable = (name: "memory" | "cpu" | "pids") =>
    host.features.some((feature) => feature.name === name && feature.state === "ok");
  // It counts all processes of the user on this host, so it only stands in where the control group does not count.
  const nproc = Math.min(host.limits.nproc, settable("pids") ? MAX_PROCESSES : limits.pids);
  const nofile = Math.min(host.limits.nofile, MAX_FILES);
  return [
    ...(settable("memory") ? ["--memory", `${limits.memoryBytes}b`, "--memory-swap", `${limits.memoryBytes}b`] : []),
    ...(settable("cpu") ? ["--cpus", String(limits.cpus)] : []),
    ...(settable("pids") ? ["--pids-limit", String(limits.pids)] : []),
    ...["--ulimit", `nofile=${nofile}:${nofile}`, "--ulimit", `nproc=${nproc}:${nproc}`, "--ulimit", "core=0:0"],
    ...["--timeout", String(limits.seconds)],
    ...(cgroupParent === undefined ? [] : ["--cgroup-parent", cgroupParent]),
  ];
}

function rootArguments(root: ContainerRoot, command: readonly string[]): string[] {
  if (root.kind === "image") {
    return ["--pull=never", "--image-volume=ignore", "--entrypoint", "[]", root.id, ...command];
  }
  return [
    ...root.mounts.flatMap(({ host, inside }) => ["--volume", `${host}:${inside}:ro,nosuid,nodev`]),
    ...["--rootfs", `${root.path}:O`, ...command],
  ];
}
