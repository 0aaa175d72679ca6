import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../system/process-identity.js";
import { findRecord } from "./read-record.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** `ttl`: its time is over. `ended`: somebody ended it, or it was lost. */
export type SnapshotEnd = "ttl" | "ended";

const PAUSE_MS = 50;
/** What runs in it ends before its first process, which is seen for a moment more. */
const LOOKS = { over: 20, going: 6 };

/** Why a snapshot ended under a command that was killed in it; null where it goes on. */
export async function whySnapshotEnded(
  store: Pick<SnapshotStore, "folderOf">,
  record: SnapshotRecord,
  now: Date,
): Promise<SnapshotEnd | null> {
  const isOver = Date.parse(record.expiresAt) <= now.getTime();
  for (let looks = isOver ? LOOKS.over : LOOKS.going; looks > 0; looks--) {
    if (isEnded(store, record)) return isOver ? "ttl" : "ended";
    await pause(PAUSE_MS);
  }
  return null;
}

function isEnded(store: Pick<SnapshotStore, "folderOf">, { id, process }: SnapshotRecord): boolean {
  const record = findRecord(store.folderOf(id));
  return record === undefined || record.destroyer !== undefined || !isAlive(process ?? "");
}
