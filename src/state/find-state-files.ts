import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";

/** What SQLite keeps beside a database; a backup holds what is in it. */
const SQLITE_SIBLING = /-(wal|shm|journal)$/;

/**
 * Files of the working tree that git does not track and that `patterns` (as in .gitignore) name: the agent's runtime
 * state. Paths as latin1 text, sorted.
 */
export async function findStateFiles(repository: Repository, patterns: readonly string[]): Promise<string[]> {
  if (repository.workTree === undefined || patterns.length === 0) return [];
  const out = await runGit(repository, [
    "ls-files",
    "-z",
    "--others",
    "--ignored",
    ...patterns.flatMap((pattern) => ["-x", pattern]),
  ]);
  const paths = out
    .toString("latin1")
    .split("\0")
    .filter((name) => name !== "");
  const all = new Set(paths);
  return paths.filter((name) => !(SQLITE_SIBLING.test(name) && all.has(name.replace(SQLITE_SIBLING, "")))).sort();
}
