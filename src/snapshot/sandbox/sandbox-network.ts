import { KaiError } from "../../error.js";
import { limitBandwidth } from "../../podman/bandwidth.js";
import { bridgeRemedy, whyTunIsClosed } from "../../podman/bridge-remedy.js";
import { SNAPSHOT_LABEL } from "../../podman/list-containers.js";
import { createNetwork, removeNetwork } from "../../podman/network.js";
import type { ContainerNetwork } from "../../podman/plan-container.js";
import type { RunningContainer } from "../../podman/start-container.js";
import type { Egress } from "../egress/serve-egress.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import type { SnapshotSettings } from "../snapshot-settings.js";

type Networked = Pick<SnapshotRecord, "id" | "container" | "settings">;

/** The network that a sandbox's container is put on; of mode bridge it is made. E103 where it cannot be. */
export async function makeNetwork(
  { id, container, settings }: Networked,
  env: NodeJS.ProcessEnv,
): Promise<ContainerNetwork> {
  const { mode, allowInternet, subnet } = settings.network;
  // What is isolated has no network either: the proxy's socket is handed into it.
  if (mode !== "bridge") return { kind: "none" };
  await createNetwork({ name: container, labels: { [SNAPSHOT_LABEL]: id }, internet: allowInternet, subnet }, env);
  return { kind: "bridge", name: container };
}

/** Limits what goes over a bridge. E103 where that cannot be done: a limit that does nothing would look the same. */
export async function limitNetwork(
  container: RunningContainer,
  { network, limits }: SnapshotSettings,
  rootless: boolean,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (network.mode !== "bridge") return;
  const why = await limitBandwidth(container, limits.bandwidth, rootless, env);
  if (why === undefined) return;
  // Podman starts an ordinary user's container without its link where it cannot open that.
  const closed = rootless ? await whyTunIsClosed() : undefined;
  if (closed !== undefined) {
    throw new KaiError("E103", `The sandbox's bridge could not be made: ${closed}`, { hint: bridgeRemedy(closed) });
  }
  throw new KaiError("E103", `The bandwidth of the sandbox's bridge cannot be limited: ${why}`, {
    hint: "tc of iproute2 does that, as root; network mode isolated is limited by the proxy, without it.",
  });
}

/** Where the proxy listens in a sandbox that nobody else listens in. */
export const EGRESS_PORT = 3128;

/** Serves the proxy of a sandbox of mode isolated for as long as one execution lasts; only there it is loaded. */
export async function openEgress(
  container: RunningContainer,
  { network, limits }: SnapshotSettings,
  { rootless, env, signal }: { rootless: boolean; env: NodeJS.ProcessEnv; signal?: AbortSignal | undefined },
): Promise<Egress> {
  const { serveEgress } = await import("../egress/serve-egress.js");
  const pid = Number(container.process.split(":")[1]);
  return serveEgress({ pid, rootless, allowedHosts: network.allowedHosts, bandwidth: limits.bandwidth, env, signal });
}

/** Takes a sandbox's own network away, where it had one. */
export async function releaseNetwork({ container, settings }: Networked, env: NodeJS.ProcessEnv): Promise<void> {
  if (settings.network.mode === "bridge") await removeNetwork(container, env);
}
