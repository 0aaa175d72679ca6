import { globMatcher } from "../agent/glob-matcher.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { readablePath } from "../system/path-bytes.js";

/** `artifacts.state` of kai.yaml: globs as in .gitignore. */
export interface StatePatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What SQLite keeps beside a database; a backup holds what is in it. */
const SQLITE_SIBLING = /-(wal|shm|journal)$/;

/** The file that holds what a deployment is proven by; see docs/formats.md. */
export const SEAL_FILE = ".kai-deployment.json";

/** The seal of a deployment that lies in the working tree, which may be where git ignores it. */
const SEAL = /^(?<folder>(?:.*\/)?versions\/v[^/]+\/)\.kai-deployment\.json$/s;

const isSeal = (name: string): boolean => name === SEAL_FILE || name.endsWith(`/${SEAL_FILE}`);

/**
 * Files of the working tree that git does not track and that the patterns name: the agent's runtime state. What was deployed
 * is none: its state is a copy that is only read. Paths as latin1 text, sorted.
 */
export async function findStateFiles(repository: Repository, { include, exclude }: StatePatterns): Promise<string[]> {
  if (repository.workTree === undefined || include.length === 0) return [];
  const out = await runGit(repository, [
    "ls-files",
    "-z",
    "--others",
    "--ignored",
    ...[SEAL_FILE, ...include].flatMap((pattern) => ["-x", pattern]),
  ]);
  const paths = out
    .toString("latin1")
    .split("\0")
    .filter((name) => name !== "");
  const all = new Set(paths);
  const isExcluded = globMatcher(exclude);
  const deployed = paths.map((name) => SEAL.exec(name)?.groups?.["folder"]).filter((folder) => folder !== undefined);
  return paths
    .filter((name) => !(isSeal(name) || deployed.some((folder) => name.startsWith(folder))))
    .filter((name) => !(SQLITE_SIBLING.test(name) && all.has(name.replace(SQLITE_SIBLING, ""))))
    .filter((name) => !isExcluded(readablePath(name)))
    .sort();
}
