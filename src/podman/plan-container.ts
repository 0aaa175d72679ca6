import { type HostCapabilities, has } from "./capabilities.js";
import { mappedRange } from "./user-mapping.js";

export interface BindMount {
  host: string;
  inside: string;
}

/** What a container stands on: a skeleton over the host's own programs, or an image by its id. */
export type ContainerRoot =
  | {
      kind: "skeleton";
      path: string;
      mounts: readonly BindMount[];
      /** Where what is written into it goes: `mountOverlays` lays that over it. Default: podman's own storage. */
      changes?: { upper: string; work: string };
    }
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
  /** Seconds after which the container's own monitor ends it, whatever became of us; 0: never. */
  seconds: number;
}

/** The namespaces that Linux has, by the names of kai.yaml. */
export type Namespace = "pid" | "mount" | "network" | "ipc" | "uts" | "user" | "cgroup";

/** What can be reached; either way the network is the container's own, so that `none` holds whatever else is shared. */
export type ContainerNetwork = { kind: "none" } | { kind: "bridge"; name: string };

/** The folder that is worked in: one that is written itself, or `lower`, which never is, with the changes in `upper`. */
export type AppMount = { folder: string } | { lower: string; upper: string; work: string };

/** PID 1 of a container that waits for executions: see `requireIdleProgram`. Its number on the host goes to `pidFile`. */
export interface IdleCommand {
  init: string;
  pidFile: string;
}

/** One container, as plain data. Paths are absolute and hold no colon and no comma. */
export interface ContainerPlan {
  name: string;
  labels: Readonly<Record<string, string>>;
  root: ContainerRoot;
  app: AppMount;
  /** Where that is shown. Default: /app. */
  place?: string;
  /** Further files and folders of the host, read-only. */
  mounts?: readonly BindMount[];
  /** Further folders of the host that are written, too. */
  written?: readonly BindMount[];
  /** Folders beside /tmp that are its own: empty, in memory, written by everybody. */
  scratch?: readonly string[];
  user: { uid: number; gid: number };
  /**
   * Which are its own; the others are the host's. Default: all but `user`. `mount` always is, `network` too, since
   * `network` rules it, and rootless `user`, and `pid` where no control group could end what runs in it. For `user` as root
   * the files must belong to `ownerOutside(user, namespaces)`.
   */
  namespaces?: readonly Namespace[];
  /** Default: none. */
  network?: ContainerNetwork;
  security: ContainerSecurity;
  limits: ContainerLimits;
  env: Readonly<Record<string, string>>;
  /** Devices by the names of `--device`, and the groups that may open them: see `chooseGpus`. */
  devices?: readonly string[];
  groups?: readonly number[];
  /** A control group of its own, in which the figures outlive the container; undefined where podman chooses. */
  cgroupParent: string | undefined;
  command: readonly [string, ...string[]] | IdleCommand;
  /** Of a command: where the number of its process on the host is to stand. */
  pidFile?: string | undefined;
  /** Of a command: whether it reads what podman is given. */
  interactive?: boolean;
}

const MIB = 1024 * 1024;
/** /tmp counts as memory, so it is a share of it. */
const TMP_SHARE = 4;
const MAX_FILES = 4096;
/** Podman lowers its own limit to this, and only some kernels' root may raise it again. */
const MAX_PROCESSES = 32_768;
/** The longest that conmon counts, some 68 years. */
const LONGEST_S = 2 ** 31 - 1;

/** All that is the container's own, unless its plan says which. */
const USUAL_NAMESPACES: readonly Namespace[] = ["pid", "mount", "network", "ipc", "uts", "cgroup"];

/** The arguments of `podman` that run `plan` on `host`: everything shut, then opened one by one. */
export function planContainer(plan: ContainerPlan, host: HostCapabilities): string[] {
  const { command, place = "/app", scratch = [] } = plan;
  const idle = "init" in command ? command : undefined;
  return [
    ...runtimeArguments(plan, host),
    "run",
    ...(idle === undefined ? ["--sig-proxy=false"] : ["--detach", "--pidfile", idle.pidFile]),
    ...(idle === undefined && plan.pidFile !== undefined ? ["--pidfile", plan.pidFile] : []),
    ...(plan.interactive ? ["--interactive"] : []),
    ...["--name", plan.name],
    ...Object.entries(plan.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...["--log-driver", "none", "--no-healthcheck"],
    ...namespaceArguments(plan, host),
    ...["--no-hosts", "--http-proxy=false"],
    ...["--user", `${plan.user.uid}:${plan.user.gid}`],
    ...securityArguments(plan.security),
    ...["/tmp", ...scratch].flatMap((folder) => [
      "--tmpfs",
      `${folder}:rw,nosuid,nodev,size=${sharedMemory(plan.limits)},mode=1777,notmpcopyup`,
    ]),
    ...limitArguments(plan, host),
    ...["--volume", appVolume(plan.app, place), "--workdir", place],
    ...[...(plan.mounts ?? []), ...(idle ? [{ host: idle.init, inside: IDLE_INIT }] : [])].flatMap(readOnly),
    ...(plan.written ?? []).flatMap(({ host: outside, inside }) => ["--volume", `${outside}:${inside}:rw`]),
    ...(plan.devices ?? []).flatMap((device) => ["--device", device]),
    ...(plan.groups ?? []).flatMap((group) => ["--group-add", String(group)]),
    ...environmentArguments({ HOME: "/tmp", LANG: "C.UTF-8", ...plan.env }),
    ...rootArguments(plan.root, "init" in command ? [IDLE_INIT, "-P"] : command),
  ];
}

/**
 * gVisor has a network stack of its own, which it cannot set up in a namespace that podman made: it has none, or with a bridge
 * it uses what the kernel has in that namespace, which it calls the host's.
 */
function runtimeArguments({ network }: ContainerPlan, { runtime }: HostCapabilities): string[] {
  if (runtime === undefined) return [];
  const stack = network?.kind === "bridge" ? "host" : "none";
  return ["--runtime", runtime, ...(runtime.endsWith("/runsc") ? ["--runtime-flag", `network=${stack}`] : [])];
}

/** Where an idle container has its first process from. */
const IDLE_INIT = "/.kai-init";

function namespaceArguments(plan: ContainerPlan, host: HostCapabilities): string[] {
  const own = new Set(plan.namespaces ?? USUAL_NAMESPACES);
  if (host.rootless && !has(host, "pids")) own.add("pid");
  const shared = (name: Namespace) => (own.has(name) ? "private" : "host");
  const { network = { kind: "none" }, user } = plan;
  const range = mappedRange(user);
  const size = sharedMemory(plan.limits);
  return [
    ...["--network", network.kind === "none" ? "none" : network.name],
    ...(own.has("uts") ? ["--hostname", "sandbox"] : []),
    ...["--cgroupns", shared("cgroup"), "--pid", shared("pid"), "--uts", shared("uts"), "--ipc", shared("ipc")],
    // The host's shared memory and queues would be mounted too, and as files they are no part of the namespace.
    ...(own.has("ipc")
      ? ["--shm-size", String(size)]
      : ["/dev/shm", "/dev/mqueue"].flatMap((place) => [
          "--tmpfs",
          `${place}:rw,nosuid,nodev,noexec,size=${size},mode=1777,notmpcopyup`,
        ])),
    ...(host.rootless ? [`--userns=keep-id:uid=${user.uid},gid=${user.gid}`] : []),
    ...(own.has("user") && !host.rootless
      ? ["--uidmap", `0:${range.first}:${range.count}`, "--gidmap", `0:${range.first}:${range.count}`]
      : []),
  ];
}

const appVolume = (app: AppMount, place: string): string =>
  "folder" in app ? `${app.folder}:${place}:rw` : `${app.lower}:${place}:O,upperdir=${app.upper},workdir=${app.work}`;

const readOnly = ({ host, inside }: BindMount): string[] => ["--volume", `${host}:${inside}:ro,nosuid,nodev`];

/** A name alone hands on podman's own variable. */
export const environmentArguments = (
  env: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>> = {},
): string[] =>
  [...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...Object.keys(secrets)].flatMap((each) => [
    "--env",
    each,
  ]);

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
    ...(limits.seconds === 0 ? [] : ["--timeout", String(Math.min(limits.seconds, LONGEST_S))]),
    ...(cgroupParent === undefined ? [] : ["--cgroup-parent", cgroupParent]),
  ];
}

function rootArguments(root: ContainerRoot, command: readonly string[]): string[] {
  if (root.kind === "image") {
    return ["--pull=never", "--image-volume=ignore", "--entrypoint", "[]", root.id, ...command];
  }
  return [...root.mounts.flatMap(readOnly), ...["--rootfs", root.changes ? root.path : `${root.path}:O`, ...command]];
}
