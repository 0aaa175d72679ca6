import type { Feature, FeatureName } from "../../podman/capabilities.js";
import { type Check, missing, ok, warn } from "./check.js";

/** Without these there is no sandbox; without the others it is a weaker one, and every result says so. */
const NEEDED: readonly FeatureName[] = ["podman", "runtime", "network", "seccomp", "init"];

const NAMES: Partial<Record<FeatureName, string>> = {
  runtime: "podman runtime",
  overlay: "podman overlay",
  network: "podman network",
  seccomp: "podman seccomp",
  memory: "podman memory limit",
  cpu: "podman cpu limit",
  pids: "podman process limit",
  storage: "podman disk limit",
  init: "podman idle program",
  userns: "podman user mapping",
  freezer: "podman pause",
  bridge: "podman bridge",
  bandwidth: "podman bandwidth limit",
  vm: "podman vm",
};

/** What a sandbox is without one, or which key of snapshot_isolation is refused (E103). */
const COSTS: Partial<Record<FeatureName, string>> = {
  overlay: "only sandboxes with a disk of their own, in memory, or that are copies",
  memory: "only each process is limited, not the sandbox",
  cpu: "a sandbox can take every processor",
  pids: "a sandbox can start as many processes as its user may",
  storage: "a sandbox can fill the disk",
  apparmor: "`security.apparmor: required` is refused",
  selinux: "`security.selinux: required` is refused",
  userns: "the namespace `user`, and the level production, are refused",
  freezer: "what runs in a sandbox is stopped one process at a time while its files are read",
  bridge: "`network.mode: bridge` is refused",
  bandwidth: "`resource_limits.network_bandwidth` does nothing",
  vm: "`default_isolation: vm` is refused",
  gpu: "`resource_limits.gpu` is refused",
};

/** What the machine gives a sandbox, one check a feature. */
export const checkPodman = (features: readonly Feature[]): Check[] => features.map(checkOf);

function checkOf({ name, state, detail, remedy = "" }: Feature): Check {
  const title = NAMES[name] ?? name;
  if (state === "ok") return ok(title, detail);
  if (NEEDED.includes(name)) return missing(title, detail, remedy);
  const cost = COSTS[name];
  return warn(title, cost === undefined ? detail : `${detail}: ${cost}`, remedy);
}
