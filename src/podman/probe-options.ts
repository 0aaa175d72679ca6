import path from "node:path";
import { KaiError } from "../error.js";
import { limitBandwidth } from "./bandwidth.js";
import { bridgeRemedy } from "./bridge-remedy.js";
import type { Feature, HostCapabilities, OptionName } from "./capabilities.js";
import { gpuFeature } from "./gpus.js";
import { findIdleProgram, INSTALL_IDLE_PROGRAM } from "./idle-program.js";
import { createNetwork, removeNetwork } from "./network.js";
import { pauseContainer } from "./pause-container.js";
import type { Namespace } from "./plan-container.js";
import { type ProbePlaces, withProbePlan } from "./probe-sandbox.js";
import { removeContainer } from "./remove-container.js";
import { type RunningContainer, startContainer } from "./start-container.js";
import { requireVmRuntime, vmFeature } from "./vm-runtime.js";

const ALL: readonly Namespace[] = ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"];
const LIMITS = { cpus: 1, memoryBytes: 256 * 1024 * 1024, pids: 256 };
const SLOW = 1_000_000;

const FREEZER_REMEDY =
  "A snapshot is stopped where it would be paused; run as root, or boot with cgroup v2, to have it paused.";
const BANDWIDTH_REMEDY = "Run `sudo apt-get install -y iproute2` on a kernel with sch_tbf.";
const USERNS_REMEDY =
  "Let this machine have user namespaces (`sysctl user.max_user_namespaces`), or leave `user` out of the namespaces.";

/**
 * What this machine gives to those sandboxes that ask for more than most, by starting some. For whoever wants to know all
 * about it: seconds, and nothing of it is kept. Empty where no sandbox can be had.
 */
export async function probeOptions(places: ProbePlaces, host: HostCapabilities): Promise<Feature[]> {
  if (host.runtime === undefined) return [];
  const init = findIdleProgram(places.env);
  const idle = await idleFeature(init);
  if (init === undefined) return [idle, await gpuFeature()];
  const [usual, bridged, vm, gpu] = await Promise.all([
    usernsFeatures(places, host, init),
    bridgeFeatures(places, host, init),
    startedVm(places, host, init),
    gpuFeature(),
  ]);
  return [idle, ...usual, ...bridged, vm, gpu];
}

const idleFeature = async (init: string | undefined): Promise<Feature> =>
  init === undefined
    ? missing("init", "catatonit is not installed: no snapshot can be kept", `Run \`${INSTALL_IDLE_PROGRAM}\`.`)
    : ok("init", init);

async function usernsFeatures(places: ProbePlaces, host: HostCapabilities, init: string): Promise<Feature[]> {
  try {
    return await whileIdle(places, host, { init, namespaces: ALL }, async ({ name }) => [
      ok("userns", host.rootless ? "subordinate ids" : "ids that nobody has on this host"),
      (await pauseContainer(name, places.env))
        ? ok("freezer", "sandboxes can be paused")
        : missing("freezer", "sandboxes cannot be paused", FREEZER_REMEDY),
    ]);
  } catch (cause) {
    return [missing("userns", wordsOf(cause), USERNS_REMEDY)];
  }
}

const bridgeMissing = (words: string): Feature => missing("bridge", words, bridgeRemedy(words));

async function bridgeFeatures(places: ProbePlaces, host: HostCapabilities, init: string): Promise<Feature[]> {
  try {
    return await whileIdle(places, host, { init, bridge: true }, async (container) => {
      const reason = await limitBandwidth(container, SLOW, host.rootless, places.env);
      return [
        ok("bridge", "a network of a sandbox's own"),
        reason === undefined
          ? ok("bandwidth", "limited in both directions")
          : { name: "bandwidth", state: "unenforced", detail: reason, remedy: BANDWIDTH_REMEDY },
      ];
    });
  } catch (cause) {
    return [bridgeMissing(wordsOf(cause))];
  }
}

async function startedVm(places: ProbePlaces, host: HostCapabilities, init: string): Promise<Feature> {
  const found = vmFeature(places.env);
  if (found.state !== "ok") return found;
  try {
    return await whileIdle(places, requireVmRuntime(host, places.env), { init }, async () => found);
  } catch (cause) {
    return missing("vm", `${found.detail}: ${wordsOf(cause)}`, "See what the runtime says, or do without.");
  }
}

/** Starts an idle container, and removes it when `use` is done. */
async function whileIdle<Result>(
  places: ProbePlaces,
  host: HostCapabilities,
  { init, namespaces, bridge }: { init: string; namespaces?: readonly Namespace[]; bridge?: boolean },
  use: (container: RunningContainer) => Promise<Result>,
): Promise<Result> {
  const { env } = places;
  const wanted = { limits: LIMITS, ...(namespaces && { namespaces }) };
  return withProbePlan(places, host, wanted, async (plan, folder) => {
    const { name, labels } = plan;
    const command = { init, pidFile: path.join(folder, "pid") };
    const network = bridge ? ({ kind: "bridge", name } as const) : ({ kind: "none" } as const);
    try {
      if (bridge) await createNetwork({ name, labels, internet: false, subnet: null }, env);
      return await use(await startContainer({ ...plan, network, command }, host, { env, folder }));
    } finally {
      await removeContainer(name, env);
      if (bridge) await removeNetwork(name, env);
    }
  });
}

function wordsOf(cause: unknown): string {
  if (cause instanceof KaiError) return cause.message;
  throw cause;
}

const ok = (name: OptionName, detail: string): Feature => ({ name, state: "ok", detail });

const missing = (name: OptionName, detail: string, remedy: string): Feature => ({
  name,
  state: "missing",
  detail,
  remedy,
});
