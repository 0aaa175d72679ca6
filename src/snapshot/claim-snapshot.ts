import path from "node:path";
import { KaiError } from "../error.js";
import { type FileLock, lockFile } from "../system/file-lock.js";
import type { Caller } from "../version/writing-session.js";
import { requireOwnUser } from "./require-own-user.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

export interface ClaimRequest extends Pick<Caller, "env" | "interrupted"> {
  /** What for, for whoever has to wait meanwhile. */
  readonly purpose: string;
}

const PATIENCE_MS = 60_000;

/**
 * Does something with a snapshot that is nobody else's meanwhile: whoever reads all its files, keeps them or takes them away comes
 * here, so that none of them meets what another one left half done. Gets it as it is then. E101 where it is gone by then, E113
 * after 60 s, E124 where the wait is interrupted, E125 where it is another user's.
 */
export async function claimed<T>(
  store: SnapshotStore,
  { record }: KnownSnapshot,
  request: ClaimRequest,
  work: (known: KnownSnapshot) => Promise<T>,
): Promise<T> {
  const lock = await lockSnapshot(store, record, request, PATIENCE_MS);
  try {
    return await work(await store.find(record.id));
  } finally {
    await lock?.release();
  }
}

/** The same without a wait: undefined where somebody else has it, or it is gone. */
export async function claimedAtOnce<T>(
  store: SnapshotStore,
  { record }: KnownSnapshot,
  request: ClaimRequest,
  work: (known: KnownSnapshot) => Promise<T>,
): Promise<T | undefined> {
  const { id } = record;
  const lock = await lockSnapshot(store, record, request, 0).catch((cause: unknown) => {
    if (cause instanceof KaiError && cause.code === "E113") return undefined;
    throw cause;
  });
  try {
    return lock && store.has(id) ? await work(await store.find(id)) : undefined;
  } finally {
    await lock?.release();
  }
}

/** Its file says who has a snapshot, and was written when they took it. */
export const lockOf = (store: SnapshotStore, id: string): string => path.join(store.folderOf(id), "lock");

/** A folder that whoever has claimed a snapshot may make; what is there without them was left by somebody who was killed. */
export const scratchOf = (store: SnapshotStore, id: string): string => path.join(store.folderOf(id), "scratch");

/** The lock lies beside the record and goes with it: undefined where that is gone. It ends with its holder, however that ends. */
async function lockSnapshot(
  store: SnapshotStore,
  record: SnapshotRecord,
  { purpose: holder, env, interrupted }: ClaimRequest,
  waitMs: number,
): Promise<FileLock | undefined> {
  requireOwnUser(store, record);
  try {
    return await lockFile(lockOf(store, record.id), { holder, waitMs, interrupted }, env);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}
