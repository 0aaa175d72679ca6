import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KaiError } from "../error.js";
import { lockFile } from "../system/file-lock.js";
import { isLive, type SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

export interface PlaceRequest {
  /** `snapshot_isolation.max_concurrent`. */
  readonly most: number;
  /** False: refused at once where there is no place. */
  readonly wait: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((message: string) => void) | undefined;
  /** Is told once that it waits. */
  readonly onWaiting?: ((message: string) => void) | undefined;
}

const LOCK_PATIENCE_MS = 60_000;
const PAUSE_MS = 100;

/**
 * Writes the record of a snapshot that is begun, as soon as there is a place for it: not more than `most` of an agent's
 * snapshots live at once, whoever makes them. E113 where there is none and `wait` is false.
 */
export async function takePlace(store: SnapshotStore, record: SnapshotRecord, request: PlaceRequest): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    request.signal?.throwIfAborted();
    const live = await underLock(store, request, async () => {
      const taken = (await store.list()).filter(({ status }) => isLive(status));
      if (taken.length < request.most) await store.write(record);
      return taken;
    });
    if (live.length < request.most) return;
    if (!request.wait) throw noPlace(live, request.most);
    const message = `Waiting for ${live.length === 1 ? "the snapshot that lives" : `one of ${live.length} snapshots`} to end: max_concurrent is ${request.most}, and \`snapshot list\` shows them…`;
    if (isFirst) request.onWaiting?.(message);
    request.progress?.(message);
    await delay(PAUSE_MS, undefined, { signal: request.signal }).catch(() => {});
  }
}

/**
 * Removes what is left of records that somebody was killed over, and those that came with a copy of another repository, or only gives
 * their ids.
 */
export const sweepRecords = (store: SnapshotStore, env: NodeJS.ProcessEnv, dryRun: boolean): Promise<string[]> =>
  underLock(store, { env }, async () => {
    const ids = [...(await store.listCopied()), ...store.listUnrecorded()];
    if (!dryRun) for (const id of ids) await store.remove(id);
    return ids;
  });

/** Does something while no record is written that was not there, and none swept up. */
export async function underLock<T>(
  store: SnapshotStore,
  { env, signal }: Pick<PlaceRequest, "env" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  const asked = { holder: "snapshot", waitMs: LOCK_PATIENCE_MS, interrupted: signal };
  const lock = await lockFile(path.join(await store.folder(), "lock"), asked, env);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

const noPlace = (live: readonly KnownSnapshot[], most: number): KaiError =>
  new KaiError(
    "E113",
    `${live.length === 1 ? "1 snapshot lives" : `${live.length} snapshots live`} already, and max_concurrent is ${most}.`,
    {
      hint: "`git kai-version snapshot list` shows them, `snapshot destroy ID` ends one; without `--no-wait` the command waits.",
      data: { snapshots: live.map(({ record }) => record.id) },
    },
  );
