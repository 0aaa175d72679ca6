import { endAbandonedExec } from "../podman/end-abandoned-exec.js";
import { pipesIn } from "../podman/exec-by-runtime.js";
import { removeFifos } from "../system/fifo.js";
import { containerOf, type SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** Ends what commands in a snapshot left whose callers were killed, as nobody holds their time limit any more. Gives their ids. */
export async function endAbandoned(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const ended: string[] = [];
  for (const { execution, since, release } of store.abandonedOf(record.id)) {
    if (!(await endAbandonedExec(containerOf(record), { id: execution, since }, env))) continue;
    // Where its caller was killed while they still had names.
    removeFifos(pipesIn(record.folder, execution));
    await release();
    ended.push(execution);
  }
  return ended;
}
