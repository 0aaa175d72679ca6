import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { isStoodOn, type KeptSave, listSaves } from "./saves.js";
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
  const saves = (await listSaves(repository)).filter((save) => !ids.has(save.id) && !isStoodOn(save, living));
  if (saves.length === 0) return [];
  const isKept = await whatIsKeptElsewhere(repository, saves);
  return saves.flatMap((save) => {
    if (isKept(save)) return [{ ...save, reason: "a branch or tag has its files" }];
    return all ? [{ ...save, reason: "nothing else has its files" }] : [];
  });
}

/** Whether the tree of each commit of a save is that of a commit that a branch or tag has. Two processes, however many there are. */
async function whatIsKeptElsewhere(
  repository: Repository,
  saves: readonly KeptSave[],
): Promise<(save: KeptSave) => boolean> {
  const tips = saves.map(({ commit }) => commit);
  const log = async (...args: string[]) =>
    (await runGit(repository, [...PLAIN_LOG, ...args])).toString().split("\n").filter(Boolean);
  const [trees, own] = await Promise.all([
    log("--format=%T", "--branches", "--tags", "--"),
    log("--format=%H %T %P", ...tips, "--not", "--branches", "--tags", "--"),
  ]);
  const elsewhere = new Set(trees);
  const commits = new Map(own.map((line) => line.split(" ")).map(([id = "", ...rest]) => [id, rest] as const));
  return ({ commit }) => {
    const waiting = [commit];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      // One that is not among them a branch or tag has.
      const [tree = "", ...parents] = commits.get(id) ?? [];
      if (tree !== "" && !elsewhere.has(tree)) return false;
      waiting.push(...parents.filter((parent) => commits.has(parent)));
    }
    return true;
  };
}
