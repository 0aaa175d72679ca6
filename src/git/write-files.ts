import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/**
 * Writes files of `folder` as blobs, byte for byte, by one git process; gives their ids in order. `names` are relative to it and
 * without a line feed, because git reads one a line; the folder's own path may be any.
 */
export async function writeFiles(
  repository: Repository,
  folder: string,
  names: readonly string[],
  inherit: readonly number[],
): Promise<string[]> {
  if (names.length === 0) return [];
  const out = await runGit(repository, ["hash-object", "-w", "--no-filters", "--stdin-paths"], {
    input: names.map((name) => `${name}\n`).join(""),
    // git goes to the top of the working tree before it opens what it was told.
    cwd: folder,
    env: { GIT_WORK_TREE: folder },
    config: SYNCED_REFS,
    inherit,
  });
  return out.toString().trim().split("\n");
}
