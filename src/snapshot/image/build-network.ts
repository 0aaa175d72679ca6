import type { HostCapabilities } from "../../podman/capabilities.js";
import { requireIdleProgram } from "../../podman/idle-program.js";
import { createNetwork, removeNetwork } from "../../podman/network.js";
import type { BuildNetwork } from "../../podman/plan-build.js";
import type { ContainerPlan } from "../../podman/plan-container.js";
import { removeContainer } from "../../podman/remove-container.js";
import { startContainer } from "../../podman/start-container.js";
import type { Egress } from "../egress/serve-egress.js";
import { limitNetwork, openEgress } from "../sandbox/sandbox-network.js";
import type { SnapshotSettings } from "../snapshot-settings.js";

export interface NetworkPlaces {
  /** A container over nothing, which lends the build its network. */
  readonly plan: Omit<ContainerPlan, "command">;
  readonly folder: string;
  readonly host: HostCapabilities;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** The variables that an image's builder hands to commands without keeping them in the image. */
const HANDED_ON = /^(?:https?|no)_proxy$/i;

/**
 * Gives `build` the network that a sandbox of these settings has, and no more: none, the hosts that are listed through a proxy, or a
 * bridge. `refused` are the hosts that it asked for in vain.
 */
export async function withBuildNetwork<Result>(
  settings: SnapshotSettings,
  { plan, folder, host, env, signal }: NetworkPlaces,
  build: (network: BuildNetwork) => Promise<Result>,
): Promise<{ result: Result; refused: readonly string[] }> {
  const { mode, allowInternet: internet } = settings.network;
  if (mode === "none") return { result: await build({ kind: "none" }), refused: [] };
  const { name, labels } = plan;
  const command = { init: requireIdleProgram(env), pidFile: `${folder}/pid` };
  const network = mode === "bridge" ? ({ kind: "bridge", name } as const) : ({ kind: "none" } as const);
  let egress: Egress | undefined;
  try {
    if (mode === "bridge") await createNetwork({ name, labels, internet, subnet: null }, env);
    const container = await startContainer({ ...plan, network, command }, host, { env, folder, signal });
    await limitNetwork(container, settings, host.rootless, env);
    if (mode === "isolated") egress = await openEgress(container, settings, { rootless: host.rootless, env, signal });
    const variables = Object.entries(egress?.environment ?? {}).filter(([variable]) => HANDED_ON.test(variable));
    const pid = Number(container.process.split(":")[1]);
    const result = await build({ kind: "process", pid, variables: Object.fromEntries(variables) });
    const refused = (egress?.requests() ?? []).filter(({ allowed }) => !allowed).map(({ host: asked }) => asked);
    return { result, refused: [...new Set(refused)] };
  } finally {
    await egress?.close();
    await removeContainer(name, env);
    if (mode === "bridge") await removeNetwork(name, env);
  }
}
