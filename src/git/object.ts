import { createHash, hash } from "node:crypto";
import type { ObjectFormat } from "./repository.js";

export type ObjectType = "blob" | "tree" | "commit" | "tag";

/** An object with its id, whether written yet or not. */
export interface GitObject {
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Buffer;
}

const SMALL = 1 << 16;

/** What stands before the content of so many bytes in what an id is the hash of. */
export const objectHeader = (type: ObjectType, size: number): Buffer => Buffer.from(`${type} ${size}\0`);

export function objectId(type: ObjectType, content: Uint8Array, format: ObjectFormat): string {
  const header = objectHeader(type, content.length);
  // Thousands of small ones cost more as streams than as sums.
  if (content.length <= SMALL) return hash(format, Buffer.concat([header, content]), "hex");
  return createHash(format).update(header).update(content).digest("hex");
}

export function makeObject(type: ObjectType, content: Uint8Array | string, format: ObjectFormat): GitObject {
  const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
  return { id: objectId(type, bytes, format), type, content: bytes };
}

export interface TreeEntry {
  /** As git writes it: `100644`, `100755`, `120000`, `40000`, `160000`. */
  readonly mode: string;
  readonly name: Buffer;
  readonly id: string;
}

/** A tree object, its entries in git's order: by name, a folder as if its name ended with a slash. */
export function makeTree(entries: readonly TreeEntry[], format: ObjectFormat): GitObject {
  const key = (entry: TreeEntry) =>
    entry.mode === "40000" ? Buffer.concat([entry.name, Buffer.from("/")]) : entry.name;
  const sorted = [...entries].sort((a, b) => Buffer.compare(key(a), key(b)));
  const parts = sorted.flatMap((entry) => [
    Buffer.from(`${entry.mode} `),
    entry.name,
    Buffer.from([0]),
    Buffer.from(entry.id, "hex"),
  ]);
  return makeObject("tree", Buffer.concat(parts), format);
}

/** All trees for files under their paths (`/` parts them; UTF-8, or bytes as latin1 text); the root is the last. */
export function makeTrees(
  files: ReadonlyMap<string, { mode: string; id: string }>,
  format: ObjectFormat,
  encoding: "utf8" | "latin1" = "utf8",
): { root: GitObject; trees: GitObject[] } {
  const here: TreeEntry[] = [];
  const folders = new Map<string, Map<string, { mode: string; id: string }>>();
  for (const [path, file] of files) {
    const slash = path.indexOf("/");
    if (slash < 0) {
      here.push({ mode: file.mode, name: Buffer.from(path, encoding), id: file.id });
      continue;
    }
    const folder = path.slice(0, slash);
    const inside = folders.get(folder) ?? new Map<string, { mode: string; id: string }>();
    inside.set(path.slice(slash + 1), file);
    folders.set(folder, inside);
  }
  const trees: GitObject[] = [];
  for (const [name, inside] of folders) {
    const made = makeTrees(inside, format, encoding);
    for (const tree of made.trees) trees.push(tree);
    here.push({ mode: "40000", name: Buffer.from(name, encoding), id: made.root.id });
  }
  const root = makeTree(here, format);
  return { root, trees: [...trees, root] };
}

/** The entries of a raw tree object; `idBytes` is 20 or 32. Undefined where the bytes are no tree. */
export function parseTree(content: Buffer, idBytes: number): TreeEntry[] | undefined {
  const entries: TreeEntry[] = [];
  let offset = 0;
  while (offset < content.length) {
    const blank = content.indexOf(0x20, offset);
    const end = content.indexOf(0, offset);
    if (blank < 0 || end < blank || end + 1 + idBytes > content.length) return undefined;
    entries.push({
      mode: content.toString("latin1", offset, blank),
      name: content.subarray(blank + 1, end),
      id: content.toString("hex", end + 1, end + 1 + idBytes),
    });
    offset = end + 1 + idBytes;
  }
  return entries;
}
