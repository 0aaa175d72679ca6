import { type HostCapabilities, has } from "./capabilities.js";

/** What a build can reach: nothing, or the network of a process on this host, with variables that say how. */
export type BuildNetwork =
  | { readonly kind: "none" }
  | { readonly kind: "process"; readonly pid: number; readonly variables: Readonly<Record<string, string>> };

/** One build, as plain data. */
export interface BuildPlan {
  readonly tag: string;
  /** They go over those of the same names in the Containerfile. */
  readonly labels: Readonly<Record<string, string>>;
  readonly network: BuildNetwork;
  readonly limits: {
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly pids: number;
    /** The largest file. */
    readonly storageBytes: number;
  };
  readonly seccompProfile: string | undefined;
  /** A control group of its own; undefined where podman chooses. */
  readonly cgroupParent: string | undefined;
}

/** Where a build has its files: all of them in one folder of its own. */
export interface BuildFiles {
  readonly containerfile: string;
  readonly context: string;
  /** An empty one: what is in the context is meant to be there. */
  readonly ignore: string;
}

/** What installers need to give files to users and to become one; not what devices, networks and other processes take. */
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];
const PERIOD_US = 100_000;
const MAX_FILES = 4096;
/** Podman lowers its own limit to this, and only some kernels' root may raise it again. */
const MAX_PROCESSES = 32_768;

/** The arguments of `podman` that build `plan` on `host`: nothing of the host in it, and no registry asked. */
export function planBuild(plan: BuildPlan, files: BuildFiles, host: HostCapabilities): string[] {
  const { network, limits } = plan;
  // An ordinary user has limits of memory and processors by cgroup v2 alone, and asked for without it nothing is built.
  const groups = !host.rootless || host.cgroups === "v2";
  const nofile = Math.min(host.limits.nofile, MAX_FILES);
  // It binds no root; an ordinary user has no other limit.
  const nproc = Math.min(host.limits.nproc, host.rootless ? limits.pids : MAX_PROCESSES);
  return [
    ...(host.runtime === undefined ? [] : ["--runtime", host.runtime]),
    "build",
    // Containers of their own: chroot isolation would be in the host's network.
    ...["--isolation", "oci", "--pull=never", "--network", networkOf(network), "--no-hosts", "--http-proxy=false"],
    ...(network.kind === "none" ? [] : Object.entries(network.variables)).flatMap(([name, value]) => [
      "--build-arg",
      `${name}=${value}`,
    ]),
    ...["--cap-drop", "all", "--cap-add", CAPABILITIES.join(",")],
    ...["--security-opt", `seccomp=${plan.seccompProfile ?? "unconfined"}`],
    ...(groups && has(host, "memory")
      ? ["--memory", `${limits.memoryBytes}b`, "--memory-swap", `${limits.memoryBytes}b`]
      : []),
    ...(groups && has(host, "cpu")
      ? ["--cpu-period", String(PERIOD_US), "--cpu-quota", String(Math.round(limits.cpus * PERIOD_US))]
      : []),
    ...["--ulimit", `nofile=${nofile}:${nofile}`, "--ulimit", `nproc=${nproc}:${nproc}`, "--ulimit", "core=0:0"],
    ...["--ulimit", `fsize=${limits.storageBytes}:${limits.storageBytes}`],
    ...(plan.cgroupParent === undefined ? [] : ["--cgroup-parent", plan.cgroupParent]),
    // Without layers nothing is taken from, or left to, another build; the time makes the same content the same image.
    ...["--layers=false", "--force-rm", "--timestamp", "0"],
    ...Object.entries(plan.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...["--tag", plan.tag, "--ignorefile", files.ignore, "--file", files.containerfile, files.context],
  ];
}

const networkOf = (network: BuildNetwork): string =>
  network.kind === "none" ? "none" : `ns:/proc/${network.pid}/ns/net`;
