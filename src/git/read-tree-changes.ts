import type { TreeEntry } from "./object.js";
import type { ObjectReader } from "./object-reader.js";
import { ABSENT, type TreeChange } from "./tree-diff.js";
import { FOLDER, readFolder, readTreeId } from "./tree-folder.js";

/**
 * What `diffTrees` gives, by a reader that is open already: only folders that differ are read, and no process is started. In git's
 * order, by path.
 */
export async function readTreeChanges(reader: ObjectReader, from: string, to: string): Promise<TreeChange[]> {
  const [before, after] = [await readTreeId(reader, from), await readTreeId(reader, to)];
  const changes: TreeChange[] = [];
  if (before !== after) await compareFolders(reader, "", { before, after }, changes);
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Ids of trees; undefined where there is none. */
interface Sides {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

async function compareFolders(
  reader: ObjectReader,
  prefix: string,
  { before, after }: Sides,
  changes: TreeChange[],
): Promise<void> {
  const [olds, news] = await Promise.all(
    [before, after].map(async (id) => (id === undefined ? new Map<string, TreeEntry>() : readFolder(reader, id))),
  );
  for (const name of new Set([...(olds?.keys() ?? []), ...(news?.keys() ?? [])])) {
    const [old, now] = [olds?.get(name), news?.get(name)];
    if (old?.id === now?.id && old?.mode === now?.mode) continue;
    const path = `${prefix}${name}`;
    const below = { before: folderId(old), after: folderId(now) };
    if (below.before !== below.after) await compareFolders(reader, `${path}/`, below, changes);
    const change = fileChange(path, old, now);
    if (change !== undefined) changes.push(change);
  }
}

const folderId = (entry: TreeEntry | undefined): string | undefined => (entry?.mode === FOLDER ? entry.id : undefined);

/** Undefined where there is a file on neither side. */
function fileChange(path: string, old: TreeEntry | undefined, now: TreeEntry | undefined): TreeChange | undefined {
  const [before, after] = [old, now].map((entry) => (entry?.mode === FOLDER ? undefined : entry));
  const known = before ?? after;
  if (known === undefined) return undefined;
  const none = "0".repeat(known.id.length);
  return {
    path,
    oldMode: before?.mode ?? ABSENT,
    newMode: after?.mode ?? ABSENT,
    oldId: before?.id ?? none,
    newId: after?.id ?? none,
  };
}
