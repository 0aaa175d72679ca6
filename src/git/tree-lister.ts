import type { TreeListing } from "./list-tree.js";
import { parseTree, type TreeEntry } from "./object.js";
import type { ObjectReader } from "./object-reader.js";
import { hexLength, type Repository } from "./repository.js";

/** Entries of trees that are kept for the next listing: about 50 MB. */
const KEPT_ENTRIES = 250_000;

/** Lists trees through one ObjectReader, so without a process of their own; subtrees that versions share are read once. */
export class TreeLister {
  readonly #reader: ObjectReader;
  readonly #idBytes: number;
  readonly #kept = new Map<string, readonly TreeEntry[]>();
  #room = KEPT_ENTRIES;

  constructor(repository: Repository, reader: ObjectReader) {
    this.#reader = reader;
    this.#idBytes = hexLength(repository.objectFormat) / 2;
  }

  /** Every file, link and submodule of a tree, as `git ls-tree -r` has it; undefined where a tree is missing. */
  async list(tree: string): Promise<TreeListing[] | undefined> {
    const files: TreeListing[] = [];
    return (await this.#collect(tree, "", files)) ? files : undefined;
  }

  async #collect(tree: string, prefix: string, files: TreeListing[]): Promise<boolean> {
    const entries = this.#kept.get(tree) ?? (await this.#read(tree));
    if (entries === undefined) return false;
    for (const { mode, name, id } of entries) {
      const path = prefix + name.toString("latin1");
      if (mode !== "40000") files.push({ path, mode: canonicalMode(mode), id });
      else if (!(await this.#collect(id, `${path}/`, files))) return false;
    }
    return true;
  }

  async #read(tree: string): Promise<readonly TreeEntry[] | undefined> {
    const object = await this.#reader.find(tree);
    const entries = object?.type === "tree" ? parseTree(object.content, this.#idBytes) : undefined;
    if (entries !== undefined && entries.length <= this.#room) {
      this.#room -= entries.length;
      this.#kept.set(tree, entries);
    }
    return entries;
  }
}

/** As git shows it: trees of old tools hold modes such as 100664. */
export function canonicalMode(mode: string): string {
  if (!mode.startsWith("100")) return mode;
  return Number.parseInt(mode, 8) & 0o100 ? "100755" : "100644";
}
