import type { Repository } from "../git/repository.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { findStateFiles, type StatePatterns } from "./find-state-files.js";

/** Files of the live state (latin1 paths) that `captured` does not have; links and the like are never ours to remove. */
export async function findRemoved(
  repository: Repository & { workTree: string },
  captured: readonly { readonly path: string }[],
  patterns: StatePatterns,
): Promise<string[]> {
  const stays = new Set(captured.map((file) => file.path));
  const removed: string[] = [];
  for (const name of await findStateFiles(repository, patterns)) {
    if (!stays.has(name) && (await findStat(pathBelow(repository.workTree, name)))?.isFile()) removed.push(name);
  }
  return removed;
}
