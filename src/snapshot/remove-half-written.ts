import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { removeTemporaryFiles } from "../operation/temporary-files.js";
import type { Caller } from "../version/writing-session.js";
import { claimedAtOnce, lockOf, scratchOf } from "./claim-snapshot.js";
import { findOtherUser } from "./require-own-user.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** Removes what somebody left who was killed while he read or kept a snapshot's files: scratch, and objects and packs that git had half-written. */
export async function removeHalfWritten(
  repository: Repository,
  store: SnapshotStore,
  caller: Pick<Caller, "env" | "interrupted">,
): Promise<void> {
  const known = await store.list();
  if (known.length === 0) return;
  const since = await Promise.all(known.map(({ record }) => lastWorkedOn(store, record)));
  await removeTemporaryFiles(repository, Math.min(...since));
  // Behind that: a claim tells another time.
  for (const each of known) {
    const scratch = scratchOf(store, each.record.id);
    if (!existsSync(scratch) || findOtherUser(store, each.record) !== undefined) continue;
    await claimedAtOnce(store, each, { purpose: "recover", ...caller }, () =>
      rm(scratch, { recursive: true, force: true }),
    );
  }
}

/** Since when whoever works on it does, or did last, in milliseconds. */
const lastWorkedOn = (store: SnapshotStore, { id, createdAt }: SnapshotRecord): Promise<number> =>
  stat(lockOf(store, id)).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.parse(createdAt),
  );
