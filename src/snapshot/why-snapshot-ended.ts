import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../system/process-identity.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** `ttl`: its time is over. `ended`: somebody ended it, or it was lost. */
export type SnapshotEnd = "ttl" | "ended";

const PAUSE_MS = 50;
const LOOKS = 20;

/** Why a snapshot ended under a command that was killed in it; null where it goes on. */
export async function whySnapshotEnded(
  store: SnapshotStore,
  record: SnapshotRecord,
  now: Date,
): Promise<SnapshotEnd | null> {
  const isOver = Date.parse(record.expiresAt) <= now.getTime();
  // What runs in it ends before its first process, which is seen for a moment more.
  for (let looks = 0; looks < (isOver ? LOOKS : 1); looks++) {
    if (!store.has(record.id) || !(await isAlive(record.process ?? ""))) return isOver ? "ttl" : "ended";
    if (isOver) await pause(PAUSE_MS);
  }
  return null;
}
