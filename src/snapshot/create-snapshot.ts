import { requireIdleProgram } from "../podman/idle-program.js";
import { startContainer } from "../podman/start-container.js";
import { readAgentHistory } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { beginSnapshot } from "./begin-snapshot.js";
import { prepareSandbox } from "./sandbox/sandbox.js";
import { pidFileIn } from "./sandbox/sandbox-folder.js";
import { limitNetwork, makeNetwork } from "./sandbox/sandbox-network.js";
import { readGround } from "./snapshot-ground.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotOptions } from "./snapshot-settings.js";
import { type KnownSnapshot, labelsOf } from "./snapshot-store.js";

export interface CreateSnapshotRequest {
  /** A number, a tag, `current`, or a commit as git names it. */
  readonly version: string;
  readonly options: SnapshotOptions;
  /** False: refused (E113) where as many live as may. */
  readonly wait: boolean;
}

/**
 * Makes a snapshot of a version: its files, isolated as its own kai.yaml and the caller say, in a container that waits for
 * commands. Where it cannot be made nothing of it is left. E101, E103, E113, E117, E122.
 */
export async function createSnapshot(caller: Caller, request: CreateSnapshotRequest): Promise<KnownSnapshot> {
  const { env, interrupted: signal } = caller;
  const known = await readAgentHistory(caller.cwd, env, caller.onConfigGone);
  const init = requireIdleProgram(env);
  const begun = await beginSnapshot(caller, await readGround(known, request.version), { ...request, throwAway: false });
  const { record, host, base, places, store } = begun;
  const { id, folder, settings } = record;
  try {
    caller.progress("Starting the sandbox…");
    const sandbox = await prepareSandbox(
      {
        id,
        labels: labelsOf(store, record),
        tree: record.lower,
        folder,
        base,
        settings,
        // The monitor's clock may be early by a part of one: what has ended so is over by its record, too.
        seconds: Math.ceil(settings.ttlMs / 1000) + 1,
        env,
        cacheDir: places.cacheDir,
        network: await makeNetwork(record, env),
        devices: begun.devices,
      },
      { init, pidFile: pidFileIn(folder) },
      host,
    );
    const container = await startContainer(sandbox.plan, host, { env, folder, signal });
    await limitNetwork(container, settings, host.rootless, env);
    const { process } = container;
    const made: SnapshotRecord = { ...record, image: sandbox.image, process, status: "ready" };
    await store.write(made);
    return { record: made, status: "ready", reason: null };
  } catch (cause) {
    await begun.discard();
    throw cause;
  }
}
