import { changeTree, treePathOf } from "../../git/change-tree.js";
import { readTreeChanges } from "../../git/read-tree-changes.js";
import { ABSENT, type TreeChange } from "../../git/tree-diff.js";
import type { WritingSession } from "../../version/writing-session.js";
import type { StoredSnapshot } from "../save-snapshot.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import type { Ignores } from "../version-ignores.js";

/** What a commit of a snapshot takes, seen from the version. */
export interface Taken {
  readonly tree: string;
  readonly changes: readonly TreeChange[];
  /** Paths (latin1) that are left out. */
  readonly ignored: readonly string[];
}

/**
 * Compares what was stored with the version. Of a layered snapshot what its base had saved is among it, and a save keeps what is
 * ignored: that is left out here.
 */
export async function leaveOutIgnored(
  { agent: { repository }, lock, reader }: WritingSession,
  record: SnapshotRecord,
  { tree, ignored }: StoredSnapshot,
  ignores: Ignores | undefined,
): Promise<Taken> {
  const began = (await reader.find(`${record.commit}^{tree}`))?.id ?? record.tree;
  const changes = await readTreeChanges(reader, began, tree);
  if (record.base === null || ignores === undefined) return { tree, changes, ignored };
  const added = changes.filter(({ oldMode }) => oldMode === ABSENT);
  const isIgnored = await ignores(added.map(({ path }) => path));
  const left = new Set(added.filter(({ path }) => isIgnored(path)));
  if (left.size === 0) return { tree, changes, ignored };
  const taken = changes.filter((change) => !left.has(change));
  const without = await changeTree(repository, began, taken.map(treePathOf), { reader, inherit: [lock.descriptor] });
  const paths = [...ignored, ...[...left].map(({ path }) => path)].sort();
  return { tree: without, changes: taken, ignored: paths };
}
