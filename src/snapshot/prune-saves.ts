import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { commitsOf, isStoodOn, type KeptSave, listSaves, readOwnCommits } from "./saves.js";
import type { KnownSnapshot } from "./snapshot-store.js";

/** The saves of a snapshot that is gone, and why they are to go, too. */
export interface PrunedSave extends KeptSave {
  readonly reason: string;
}

/**
 * The saves to be pruned of snapshots that are gone and on which no other stands: those whose every file is in the history of a branch
 * or tag, so that nothing is lost; with `all` the others, too.
 */
export async function findPrunableSaves(
  repository: Repository,
  living: readonly KnownSnapshot[],
  all: boolean,
): Promise<PrunedSave[]> {
  const ids = new Set(living.map(({ record }) => record.id));
  const saves = (await listSaves(repository)).filter((save) => !ids.has(save.id));
  if (saves.length === 0) return [];
  const [elsewhere, own] = await Promise.all([treesElsewhere(repository), readOwnCommits(repository, saves)]);
  return saves.flatMap((save) => {
    if (isStoodOn(save, living, own)) return [];
    if ([...commitsOf(save, own)].every(([, { tree }]) => elsewhere.has(tree)))
      return [{ ...save, reason: "a branch or tag has its files" }];
    return all ? [{ ...save, reason: "nothing else has its files" }] : [];
  });
}

/** The trees of all commits that a branch or tag has. */
async function treesElsewhere(repository: Repository): Promise<ReadonlySet<string>> {
  const out = await runGit(repository, [...PLAIN_LOG, "--format=%T", "--branches", "--tags", "--"]);
  return new Set(out.toString().split("\n").filter(Boolean));
}
