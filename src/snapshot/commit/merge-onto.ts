import { ABSENT, type TreeChange } from "../../git/tree-diff.js";

/** What has to be done to a branch's tree so that it has a snapshot's changes, too. */
export interface Merged {
  readonly changes: readonly TreeChange[];
  /** Paths (latin1) that both changed, and differently. */
  readonly conflicts: readonly string[];
}

/**
 * Puts what a snapshot changed on top of what a branch changed since, path by path: contents are taken whole or not at all, so
 * no merge driver has a part in it. `theirs` and `ours` are both seen from the tree that the snapshot began with.
 */
export function mergeOnto(ours: readonly TreeChange[], theirs: readonly TreeChange[]): Merged {
  const changed = new Map(ours.map((change) => [change.path, change]));
  const gone = new Set(ours.filter(({ newMode }) => newMode === ABSENT).map(({ path }) => path));
  const changes: TreeChange[] = [];
  const conflicts = new Set<string>();
  for (const change of theirs) {
    const other = changed.get(change.path);
    if (other?.newId === change.newId && other.newMode === change.newMode) continue;
    if (other !== undefined) conflicts.add(change.path);
    else changes.push(change);
  }
  for (const path of blockedBy(changes, ours, gone)) conflicts.add(path);
  return { changes, conflicts: [...conflicts].sort() };
}

/** A file where the other side has a folder, or below a path where it has a file. */
function* blockedBy(
  changes: readonly TreeChange[],
  ours: readonly TreeChange[],
  gone: ReadonlySet<string>,
): Generator<string> {
  const added = (each: readonly TreeChange[]) =>
    each.filter(({ newMode }) => newMode !== ABSENT).map(({ path }) => path);
  const [theirFiles, ourFiles] = [new Set(added(changes)), new Set(added(ours))];
  for (const path of theirFiles) if (foldersOf(path).some((folder) => ourFiles.has(folder))) yield path;
  for (const path of ourFiles) {
    const blocked = foldersOf(path).find((folder) => theirFiles.has(folder) && !gone.has(folder));
    if (blocked !== undefined) yield blocked;
  }
}

const foldersOf = (path: string): string[] =>
  [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)).filter((folder) => folder !== "");
