import { listTree } from "../git/list-tree.js";
import type { Repository } from "../git/repository.js";
import { diffTrees, type TreeChange } from "../git/tree-diff.js";

/** What differs between two trees, and every path of the second (latin1) that is among `changed`: that is put back too. */
export async function listReplaced(
  repository: Repository,
  from: string,
  to: string,
  changed: ReadonlySet<string>,
): Promise<readonly TreeChange[]> {
  const changes = await diffTrees(repository, from, to);
  if (changed.size === 0) return changes;
  const known = new Set(changes.map((each) => each.path));
  const listed = await listTree(repository, to);
  const same = listed.filter(({ path }) => changed.has(path) && !known.has(path));
  return [
    ...changes,
    ...same.map(({ path, mode, id }) => ({ path, oldMode: mode, newMode: mode, oldId: id, newId: id })),
  ];
}
