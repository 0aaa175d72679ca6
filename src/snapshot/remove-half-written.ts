import { stat } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { removeTemporaryFiles } from "../operation/temporary-files.js";
import { lockOf } from "./claim-snapshot.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** Removes the objects and packs that git left half-written where somebody was killed who kept a snapshot's files. */
export async function removeHalfWritten(repository: Repository, store: SnapshotStore): Promise<void> {
  const known = await store.list();
  if (known.length === 0) return;
  const since = await Promise.all(known.map(({ record }) => lastWorkedOn(store, record)));
  await removeTemporaryFiles(repository, Math.min(...since));
}

/** Since when whoever works on it does, or did last, in milliseconds. */
const lastWorkedOn = (store: SnapshotStore, { id, createdAt }: SnapshotRecord): Promise<number> =>
  stat(lockOf(store, id)).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.parse(createdAt),
  );
