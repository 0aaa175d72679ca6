import { changeTree, treePathOf } from "../../git/change-tree.js";
import type { ObjectReader } from "../../git/object-reader.js";
import { readTreeChanges } from "../../git/read-tree-changes.js";
import { ABSENT, type TreeChange } from "../../git/tree-diff.js";
import { readablePath } from "../../system/path-bytes.js";
import type { WritingSession } from "../../version/writing-session.js";
import type { RefusedPath } from "../execution.js";
import { findRepositoryParts, MAKES_REPOSITORY } from "../ingest/embedded-repository.js";
import { RAW_LFS, rawLfsStored } from "../ingest/raw-lfs.js";
import type { StoredSnapshot } from "../save-snapshot.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import type { Ignores } from "../version-ignores.js";

/** What a commit of a snapshot takes, seen from the version. */
export interface Taken {
  readonly tree: string;
  readonly changes: readonly TreeChange[];
  /** Paths (latin1) that are left out. */
  readonly ignored: readonly string[];
  readonly refused: readonly RefusedPath[];
}

/**
 * Compares what was stored with the version. Of a layered snapshot what its base had saved is among it, and a save keeps what is
 * ignored, repositories, and contents in place of pointers of Git LFS: all that is left out here.
 */
export async function leaveOut(
  { agent: { repository }, lock, reader }: WritingSession,
  record: SnapshotRecord,
  stored: StoredSnapshot,
  { ignores, scratch }: { readonly ignores: Ignores | undefined; readonly scratch: string },
): Promise<Taken> {
  const began = (await reader.find(`${record.commit}^{tree}`))?.id ?? record.tree;
  const changes = await readTreeChanges(reader, began, stored.tree);
  if (record.base === null) return { ...stored, changes };
  const ignored = await ignoredAmong(changes, ignores);
  const repositories = await repositoriesAmong(reader, began, changes, ignored);
  const left = changes.filter(({ path }) => !ignored.has(path) && !repositories.has(path));
  const raw = await rawLfsStored({ repository, reader, tree: began, scratch }, left);
  const taken = left.filter(({ path }) => !raw.has(path));
  if (taken.length === changes.length) return { ...stored, changes };
  const tree = await changeTree(repository, began, taken.map(treePathOf), { reader, inherit: [lock.descriptor] });
  return {
    tree,
    changes: taken,
    ignored: [...stored.ignored, ...ignored].sort(),
    refused: [...stored.refused, ...asRefused(repositories), ...asRefused(raw, RAW_LFS)],
  };
}

async function ignoredAmong(changes: readonly TreeChange[], ignores: Ignores | undefined): Promise<Set<string>> {
  const added = changes.filter(({ oldMode }) => oldMode === ABSENT).map(({ path }) => path);
  return new Set(ignores ? added.filter(await ignores(added)) : []);
}

/** Paths (latin1) of changes to a tree by which a folder of it becomes a repository. */
export async function repositoriesAmong(
  reader: ObjectReader,
  tree: string,
  changes: readonly TreeChange[],
  ignored: ReadonlySet<string> = new Set(),
): Promise<ReadonlySet<string>> {
  const written = changes.filter(({ path, newMode }) => newMode !== ABSENT && !ignored.has(path));
  return findRepositoryParts(
    reader,
    tree,
    written.map(({ path }) => path),
  );
}

export const asRefused = (paths: ReadonlySet<string>, reason: string = MAKES_REPOSITORY): RefusedPath[] =>
  [...paths].map((path) => ({ path: readablePath(path), reason }));
