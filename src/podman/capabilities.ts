export type FeatureName =
  | "podman"
  | "runtime"
  | "overlay"
  | "network"
  | "seccomp"
  | "memory"
  | "cpu"
  | "pids"
  | "storage"
  | "apparmor"
  | "selinux"
  | OptionName;

/** What only some sandboxes ask for, so it is tried by `doctor` alone. */
export type OptionName = "init" | "bridge" | "bandwidth" | "userns" | "freezer" | "vm" | "gpu";

/** `unenforced`: it can be asked for, and does nothing on this machine. */
export type FeatureState = "ok" | "missing" | "unenforced";

export interface Feature {
  name: FeatureName;
  state: FeatureState;
  detail: string;
  /** What to do about it; absent where nothing is to be done. */
  remedy?: string;
}

export interface HostLimits {
  /** Hard limits of this process: a container may have as much, never more. */
  nofile: number;
  nproc: number;
}

/** What this machine gives a sandbox and what it lacks, found by trying. */
export interface HostCapabilities {
  podman: string | undefined;
  kernel: string;
  rootless: boolean;
  cgroups: "v1" | "v2" | "hybrid" | "unknown";
  cgroupManager: string;
  /** The OCI runtime that starts containers here. */
  runtime: string | undefined;
  /** Whether the runtime gives each container a kernel of its own: then its processes are not to be seen from here. */
  ownKernel?: boolean;
  limits: HostLimits;
  features: Feature[];
}

export const featureOf = (host: HostCapabilities, name: FeatureName): Feature | undefined =>
  host.features.find((feature) => feature.name === name);

export const has = (host: HostCapabilities, name: FeatureName): boolean => featureOf(host, name)?.state === "ok";
