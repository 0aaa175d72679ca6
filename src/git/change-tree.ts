import path from "node:path";
import { SYNCED_REFS } from "./ref-transaction.js";
import { type Repository, zeroId } from "./repository.js";
import { runGit } from "./run-git.js";
import type { TreeChange } from "./tree-diff.js";

/** What a path (bytes as latin1 text) of a tree is to be; a mode of zeros takes it away. */
export interface TreePath {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

const GONE = /^0+$/;

/** What a path is to be that changes as it did between two trees. */
export const treePathOf = ({ path, newMode, newId }: TreeChange): TreePath => ({ path, mode: newMode, id: newId });

/**
 * Writes the tree that `tree` becomes with these paths changed, and gives its id. Paths that are still to come are waited for while
 * git reads the tree. `scratch` is a folder of the caller's.
 */
export async function changeTree(
  repository: Repository,
  tree: string,
  changed: readonly TreePath[] | Promise<readonly TreePath[]>,
  scratch: string,
  inherit: readonly number[] = [],
): Promise<string> {
  const options = { env: { GIT_INDEX_FILE: path.join(scratch, "index") }, inherit };
  // Both have ended before the folder is the caller's again.
  const [read, given] = await Promise.allSettled([runGit(repository, ["read-tree", tree], options), changed]);
  if (given.status === "rejected") throw given.reason;
  if (read.status === "rejected") throw read.reason;
  const paths = given.value;
  // Removals first: a file may take the place of a folder whose files go.
  const removals = paths.filter(({ mode }) => GONE.test(mode));
  const others = paths.filter(({ mode }) => !GONE.test(mode));
  const zero = zeroId(repository.objectFormat);
  const lines = [
    ...removals.map(({ path: name }) => `0 ${zero}\t${name}\0`),
    ...others.map(({ path: name, mode, id }) => `${mode} ${id}\t${name}\0`),
  ];
  const input = Buffer.from(lines.join(""), "latin1");
  await runGit(repository, ["update-index", "--replace", "-z", "--index-info"], { ...options, input });
  return (await runGit(repository, ["write-tree"], { ...options, config: SYNCED_REFS })).toString().trim();
}
