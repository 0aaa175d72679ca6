import type { TreeEntry } from "../../git/object.js";
import type { ObjectReader } from "../../git/object-reader.js";
import { isFolder, readFolder, readTreeId } from "../../git/tree-folder.js";
import type { FoundChange, FoundChanges } from "./found-changes.js";

/** Why a file is refused whose folder is another repository's: only that one has versions of it. */
const IN_SUBMODULE = "lies in a submodule";

const GITLINK = "160000";

/**
 * What a sandbox changed of `tree` as a tree has it, whose submodules are empty folders in there: what was written into one is refused, one
 * that a file took the place of is modified, and those below a folder that became a file are deleted.
 */
export async function judgeSubmodules<T extends FoundChanges>(
  found: T,
  reader: ObjectReader,
  tree: string,
): Promise<T> {
  const folders = new Folders(reader);
  const root = await readTreeId(reader, tree);
  const changes = new Map(found.changes.map((change) => [change.path, change]));
  const refused = new Map(found.refused);
  for (const change of found.changes.filter(isAdded)) {
    const { path, rest, entry } = await folders.follow(root, change.path);
    if (rest) {
      if (entry?.mode !== GITLINK) continue;
      changes.delete(change.path);
      refused.set(change.path, IN_SUBMODULE);
    } else if (entry?.mode === GITLINK) {
      changes.set(path, { ...change, change: "modified" });
    } else if (entry && isFolder(entry)) {
      for await (const gone of folders.submodulesOf(entry.id, path)) {
        changes.set(gone, { path: gone, change: "deleted", mode: null, size: 0 });
      }
    }
  }
  return { ...found, changes: [...changes.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), refused };
}

/** Nothing else is where a submodule is, or a folder. */
export const isAdded = ({ change }: FoundChange): boolean => change === "added";

class Folders {
  readonly #reader: ObjectReader;
  readonly #read = new Map<string, ReadonlyMap<string, TreeEntry>>();

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  /** The last thing on the way to `path` that a tree has, and whether there is more of the way behind it. */
  async follow(root: string, path: string) {
    let id = root;
    for (let slash = path.indexOf("/"), from = 0; ; from = slash + 1, slash = path.indexOf("/", from)) {
      const entry = (await this.#entriesOf(id)).get(path.slice(from, slash < 0 ? undefined : slash));
      if (slash < 0 || !entry || !isFolder(entry)) return { path, rest: slash >= 0, entry };
      id = entry.id;
    }
  }

  async *submodulesOf(id: string, path: string): AsyncGenerator<string> {
    for (const [name, entry] of await this.#entriesOf(id)) {
      if (entry.mode === GITLINK) yield `${path}/${name}`;
      else if (isFolder(entry)) yield* this.submodulesOf(entry.id, `${path}/${name}`);
    }
  }

  async #entriesOf(id: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const entries = this.#read.get(id) ?? (await readFolder(this.#reader, id));
    this.#read.set(id, entries);
    return entries;
  }
}
