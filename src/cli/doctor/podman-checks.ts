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

/** What the machine gives a sandbox, one check a feature. */
export const checkPodman = (features: readonly Feature[]): Check[] => features.map(checkOf);

function checkOf({ name, state, detail, remedy = "" }: Feature): Check {
  const title = NAMES[name] ?? name;
  if (state === "ok") return ok(title, detail);
  return NEEDED.includes(name) ? missing(title, detail, remedy) : warn(title, detail, remedy);
}
