import { openRepository } from "../git/repository.js";
import type { Caller } from "../version/writing-session.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** A snapshot as it is listed: what its record says, and what is in effect now. */
export interface ListedSnapshot {
  readonly id: string;
  readonly version: string;
  readonly tag: string;
  readonly type: string;
  readonly base: string | null;
  readonly status: KnownSnapshot["status"];
  readonly reason: string | null;
  readonly isolation: {
    readonly level: string | null;
    readonly process: string;
    readonly filesystem: string;
    readonly network: string;
    readonly allowedHosts: readonly string[];
    readonly namespaces: readonly string[];
    readonly image: string;
    readonly imageBase: string | null;
    readonly unenforced: readonly string[];
  };
  readonly limits: KnownSnapshot["record"]["settings"]["limits"];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly saved: string | null;
  readonly committed: string | null;
}

/** All of an agent's, the oldest first. */
export async function listSnapshots(caller: Caller): Promise<ListedSnapshot[]> {
  const store = new SnapshotStore(await openRepository(caller.cwd, caller.env));
  return (await store.list()).map(listedSnapshot);
}

/** One of them. E101, E122. */
export async function showSnapshot(caller: Caller, asked: string): Promise<ListedSnapshot> {
  const store = new SnapshotStore(await openRepository(caller.cwd, caller.env));
  return listedSnapshot(await store.find(asked));
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
    isolation: {
      level: settings.level,
      process: settings.process,
      filesystem: settings.filesystem,
      network: settings.network.mode,
      allowedHosts: settings.network.allowedHosts,
      namespaces: settings.namespaces,
      image: record.image,
      imageBase: record.imageBase,
      unenforced: record.unenforced,
    },
    limits: settings.limits,
    createdAt: record.createdAt,
    expiresAt: record.expiresAt,
    saved: record.saved,
    committed: record.committed,
  };
}
