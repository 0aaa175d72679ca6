import { KaiError } from "../error.js";
import { readablePath } from "../system/path-bytes.js";
import { type GitObject, makeTree, type TreeEntry } from "./object.js";
import { ObjectReader } from "./object-reader.js";
import type { Repository } from "./repository.js";
import type { TreeChange } from "./tree-diff.js";
import { FOLDER, isFolder, readFolder, readTreeId } from "./tree-folder.js";
import { unpackObjects } from "./write-objects.js";

/** What a path (bytes as latin1 text) of a tree is to be; a mode of zeros takes it away. */
export interface TreePath {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

export interface ChangeOptions {
  /** One that is open already. */
  readonly reader?: ObjectReader | undefined;
  readonly inherit?: readonly number[];
  /** Written by the same process: blobs that are named. */
  readonly beside?: readonly GitObject[];
}

const GONE = /^0+$/;

/** What a path is to be that changes as it did between two trees. */
export const treePathOf = ({ path, newMode, newId }: TreeChange): TreePath => ({ path, mode: newMode, id: newId });

/**
 * Writes the tree that `tree` (or a commit's) becomes with these paths changed, and gives its id. Only folders with something that
 * changes are read and written. A file takes the place of a folder and the other way round; a folder that is left empty goes. E116
 * for a path that git would not take.
 */
export async function changeTree(
  repository: Repository,
  tree: string,
  changed: readonly TreePath[],
  { reader: opened, inherit = [], beside = [] }: ChangeOptions = {},
): Promise<string> {
  const reader = opened ?? new ObjectReader(repository);
  try {
    const root = await readTreeId(reader, tree);
    const made: GitObject[] = [...beside];
    const change = changesByFolder(changed);
    const changing = new Changing(repository, reader, made);
    const next = (await changing.apply(root, change)) ?? changing.write([]);
    // git fsck is stricter with trees than git itself is, and what it would refuse may be an old version's.
    await unpackObjects(repository, made, inherit, { strict: false });
    return next;
  } finally {
    if (opened === undefined) reader.close();
  }
}

/** What changes in one folder, by names. */
interface FolderChange {
  readonly files: Map<string, { readonly mode: string; readonly id: string }>;
  readonly folders: Map<string, FolderChange>;
}

const noChange = (): FolderChange => ({ files: new Map(), folders: new Map() });

function changesByFolder(changed: readonly TreePath[]): FolderChange {
  const root = noChange();
  for (const { path, mode, id } of changed) {
    const names = path.split("/");
    if (names.some(isForbidden))
      throw new KaiError("E116", `git takes no path like ${readablePath(path)} into a tree.`);
    const name = names.pop() ?? "";
    let folder = root;
    for (const each of names) {
      const below = folder.folders.get(each) ?? noChange();
      folder.folders.set(each, below);
      folder = below;
    }
    folder.files.set(name, { mode, id });
  }
  return root;
}

const isForbidden = (name: string): boolean =>
  ["", ".", ".."].includes(name) || /^\.git$/i.test(name) || name.includes("\0");

class Changing {
  readonly #repository: Repository;
  readonly #reader: ObjectReader;
  readonly #made: GitObject[];

  constructor(repository: Repository, reader: ObjectReader, made: GitObject[]) {
    this.#repository = repository;
    this.#reader = reader;
    this.#made = made;
  }

  /** The id of what a folder becomes; undefined where nothing is left in it. */
  async apply(tree: string | undefined, { files, folders }: FolderChange): Promise<string | undefined> {
    const entries = tree === undefined ? new Map<string, TreeEntry>() : await readFolder(this.#reader, tree);
    // Removals first: a folder may take the place of a file that goes.
    for (const [name, { mode }] of files) if (GONE.test(mode) && !isFolder(entries.get(name))) entries.delete(name);
    for (const [name, change] of folders) {
      const before = entries.get(name);
      const id = await this.apply(isFolder(before) ? before?.id : undefined, change);
      if (id !== undefined) entries.set(name, { mode: FOLDER, name: Buffer.from(name, "latin1"), id });
      else if (isFolder(before)) entries.delete(name);
    }
    for (const [name, { mode, id }] of files) {
      if (!GONE.test(mode)) entries.set(name, { mode, name: Buffer.from(name, "latin1"), id });
    }
    return entries.size === 0 ? undefined : this.write([...entries.values()]);
  }

  write(entries: readonly TreeEntry[]): string {
    const tree = makeTree(entries, this.#repository.objectFormat);
    this.#made.push(tree);
    return tree.id;
  }
}
