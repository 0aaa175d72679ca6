import { readFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";

/**
 * Refuses (E125) where a shallow clone cuts a range of commits off, so that what is undone could not be said: one of
 * `commits` is at the clone's edge (gitformat-shallow: the ids in `shallow`, one a line, are taken to have no parents).
 */
export async function requireWholeRange(
  repository: Pick<Repository, "shallow" | "commonDir">,
  commits: readonly string[],
  target: string,
): Promise<void> {
  if (!repository.shallow) return;
  const edge = new Set((await readFile(path.join(repository.commonDir, "shallow"), "latin1")).split("\n"));
  if (commits.some((commit) => edge.has(commit))) throw shallow(`the commits since ${target} are not all in it`);
}

/** What a shallow clone lacks, and the command that brings it. */
export const shallow = (what: string): KaiError =>
  new KaiError("E125", `This is a shallow clone: ${what}.`, {
    hint: "Nothing was changed. `git fetch --unshallow` brings them; then run it again.",
  });
