import type { Feature, FeatureName, HostCapabilities } from "../../podman/capabilities.js";
import { type Check, missing, ok, warn } from "./check.js";

/** Without these there is no sandbox; without the others it is a weaker one, and every result says so. */
const NEEDED: readonly FeatureName[] = ["podman", "runtime", "overlay", "network", "seccomp"];

const NAMES: Partial<Record<FeatureName, string>> = {
  runtime: "podman runtime",
  overlay: "podman overlay",
  network: "podman network",
  seccomp: "podman seccomp",
  memory: "podman memory limit",
  cpu: "podman cpu limit",
  pids: "podman process limit",
  storage: "podman disk limit",
};

/** What the machine gives a sandbox, one check a feature. */
export const checkPodman = (host: HostCapabilities): Check[] => host.features.map(checkOf);

function checkOf({ name, state, detail, remedy = "" }: Feature): Check {
  const title = NAMES[name] ?? name;
  if (state === "ok") return ok(title, detail);
  return NEEDED.includes(name) ? missing(title, detail, remedy) : warn(title, detail, remedy);
}
