import { readdir } from "node:fs/promises";
import { openRepository } from "../git/repository.js";
import { readAgent } from "../version/agent-repository.js";
import type { Caller } from "../version/writing-session.js";
import { endAllAbandoned, type SetRight } from "./abandoned-commands.js";
import { finishCommits } from "./commit/finish-commit.js";
import { listOrphans, restoreOrphans } from "./orphaned-snapshots.js";
import { type LeftSnapshot, type PrunedSnapshot, pruneAll, whyForsaken } from "./prune-due.js";
import { removeHalfWritten } from "./remove-half-written.js";
import { listForsaken } from "./sandbox/forsaken-folders.js";
import { SnapshotStore } from "./snapshot-store.js";
import { sweepForsaken } from "./sweep-forsaken.js";
import { findPassedOver, type PassedOver, possibleTempDirs, trustedTempDir } from "./trusted-temp-dir.js";

export interface RecoveredSnapshots extends SetRight {
  /** Those whose maker was killed, or whose record is gone. */
  readonly pruned: readonly PrunedSnapshot[];
  /** Those that could not be taken away, or set right, and why. */
  readonly left: readonly LeftSnapshot[];
  /** Ids of those whose changes are a commit, as whoever made it was killed before he said so. */
  readonly committed: readonly string[];
  /** Containers, folders and records that belonged to nobody any more. */
  readonly orphans: readonly string[];
  /** Null where all was looked at. */
  readonly passedOver: PassedOver | null;
}

/**
 * Takes away what was killed in the middle: snapshots that are half made or meant to be thrown away, with what was changed in one saved
 * first, commands whose callers died, containers and folders of nobody. Those that only are old stay: `snapshot prune` takes them.
 * Starts no process where there never was a snapshot.
 */
export async function recoverSnapshots(caller: Caller): Promise<RecoveredSnapshots> {
  const { env } = caller;
  const repository = await openRepository(caller.cwd, env);
  const agent = await readAgent(repository, caller.onConfigGone);
  const store = new SnapshotStore(repository);
  const folders = await possibleTempDirs(agent);
  const found = folders.flatMap((folder) => [listOrphans(folder, store), listForsaken(folder, caller.now())]);
  if ((await Promise.all(found)).flat().length === 0 && (await readdir(store.root).catch(() => [])).length === 0) {
    return { pruned: [], left: [], ended: [], resumed: [], committed: [], orphans: [], passedOver: null };
  }
  const trusted = await trustedTempDir(caller, agent);
  const { tempDir } = trusted;
  await removeHalfWritten(repository, store, caller);
  const lost = new Map((await restoreOrphans(tempDir, store, env)).map(({ record, reason }) => [record.id, reason]));
  const due = (await store.list()).flatMap((known) => {
    const reason = lost.get(known.record.id) ?? whyForsaken(known);
    return reason === undefined ? [] : [{ known, reason }];
  });
  const { pruned, left } = await pruneAll(repository, store, due, caller);
  const setRight = await endAllAbandoned(store, env);
  const { committed, left: unfinished } = await finishCommits(repository, store, caller);
  const orphans = await sweepForsaken(caller, { store, tempDir, dryRun: false, going: [] });
  return {
    pruned,
    left: [...left, ...unfinished],
    ...setRight,
    committed,
    orphans,
    passedOver: await findPassedOver(agent, trusted, caller.now()),
  };
}
