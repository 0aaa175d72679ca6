import path from "node:path";
import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import type { Caller } from "../version/writing-session.js";
import { findRun, noRunEither, type ShownRun } from "./list-runs.js";
import { damagedRecord } from "./read-record.js";
import { findSave, type GoneSnapshot, goneSnapshot, listSaves } from "./saves.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { type ToldIsolation, toldIsolation } from "./told-isolation.js";

/** A snapshot as it is listed: what its record says, and what is in effect now. */
export interface ListedSnapshot {
  readonly id: string;
  readonly version: string;
  readonly tag: string;
  readonly type: string;
  readonly base: string | null;
  readonly status: KnownSnapshot["status"];
  readonly reason: string | null;
  readonly isolation: ToldIsolation;
  readonly limits: KnownSnapshot["record"]["settings"]["limits"];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly saved: string | null;
  readonly committed: string | null;
}

export interface DamagedSnapshot {
  readonly id: string;
  /** What is to be done. */
  readonly hint: string;
}

export interface SnapshotList {
  readonly snapshots: readonly ListedSnapshot[];
  /** Those that are gone and of which something was saved. */
  readonly gone: readonly GoneSnapshot[];
  /** Those whose record cannot be read. */
  readonly damaged: readonly DamagedSnapshot[];
}

/** All of an agent's, the oldest first. */
export async function listSnapshots(caller: Caller): Promise<SnapshotList> {
  const repository = await openRepository(caller.cwd, caller.env);
  const listing = listSaves(repository);
  // Whoever waits for it is told of its failure.
  listing.catch(() => {});
  const store = new SnapshotStore(repository);
  const known = await store.list();
  const damaged = store.listDamaged(known).map((folder) => ({
    id: path.basename(folder),
    hint: damagedRecord(folder).hint ?? "",
  }));
  const saves = await listing;
  const there = new Set([...known.map(({ record }) => record.id), ...damaged.map(({ id }) => id)]);
  return {
    snapshots: known.map(listedSnapshot),
    gone: saves.filter(({ id }) => !there.has(id)).map(goneSnapshot),
    damaged,
  };
}

/** One of them, also one that is gone; else the run of that id. E101, E122. */
export async function showSnapshot(caller: Caller, asked: string): Promise<ListedSnapshot | GoneSnapshot | ShownRun> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  try {
    return listedSnapshot(await store.find(asked));
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E101") throw cause;
    const save = findSave(await listSaves(repository), asked);
    if (save !== undefined) return goneSnapshot(save);
    const run = await findRun(repository, asked, caller.onLeft);
    if (run !== undefined) return run;
    throw noRunEither(cause);
  }
}

export function listedSnapshot({ record, status, reason }: KnownSnapshot): ListedSnapshot {
  const { settings } = record;
  return {
    id: record.id,
    version: record.version,
    tag: record.tag,
    type: settings.type,
    base: record.base,
    status,
    reason,
    isolation: toldIsolation(record),
    limits: settings.limits,
    createdAt: record.createdAt,
    expiresAt: record.expiresAt,
    saved: record.saved,
    committed: record.committed,
  };
}
