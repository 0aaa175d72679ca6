import { parseLfsPointer } from "../../agent/lfs-pointer.js";
import { filtersOf } from "../../git/filters-of.js";
import type { ObjectReader } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import type { TreeChange } from "../../git/tree-diff.js";
import { readSource } from "../../git/write-blobs.js";
import { readFoldersOf } from "../version-ignores.js";
import type { FoundChange } from "./found-changes.js";
import { bytesOf } from "./store-changes.js";

/** Why a file is refused whose content belongs into another store: git would take it for changed as soon as it is there. */
export const RAW_LFS = "Git LFS keeps it, and this is no pointer";

/** A repository, and the tree whose .gitattributes files say what Git LFS keeps: never those that a sandbox wrote. */
export interface LfsGround {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  readonly tree: string;
  /** A folder that nobody else makes meanwhile. */
  readonly scratch: string;
}

/** Paths (latin1) of what was found and stands, with its content, where a pointer of Git LFS must be. An empty file is its own pointer. */
export async function rawLfsFound(
  ground: LfsGround,
  folder: string,
  changes: readonly FoundChange[],
): Promise<ReadonlySet<string>> {
  const files = changes.filter(({ mode, size }) => mode?.startsWith("100") && size > 0);
  return rawAmong(ground, files, async (change) =>
    change.size < LARGEST_POINTER
      ? readSource({ size: change.size, chunks: () => bytesOf(folder, change) })
      : undefined,
  );
}

/** The same of changes between trees. */
export async function rawLfsStored(ground: LfsGround, changes: readonly TreeChange[]): Promise<ReadonlySet<string>> {
  const files = changes.filter(({ newMode }) => newMode.startsWith("100"));
  return rawAmong(ground, files, ({ newId }) => ground.reader.read(newId, "blob", LARGEST_POINTER));
}

const LARGEST_POINTER = 1024;

async function rawAmong<T extends { readonly path: string }>(
  ground: LfsGround,
  files: readonly T[],
  /** Undefined where it is too large for a pointer. */
  read: (file: T) => Promise<Buffer | undefined>,
): Promise<ReadonlySet<string>> {
  const raw = new Set<string>();
  for (const file of await keptByLfs(ground, files)) {
    const content = await read(file);
    if (content?.length !== 0 && (content === undefined || !parseLfsPointer(content))) raw.add(file.path);
  }
  return raw;
}

async function keptByLfs<T extends { readonly path: string }>(
  { repository, reader, tree, scratch }: LfsGround,
  files: readonly T[],
): Promise<T[]> {
  const paths = files.map(({ path }) => path);
  const folders = await readFoldersOf(reader, tree, paths);
  const attributes = [...folders].flatMap(([folder, entries]) => {
    const entry = entries.get(".gitattributes");
    return entry?.mode.startsWith("100") ? [{ path: `${folder}.gitattributes`, id: entry.id }] : [];
  });
  const texts = await Promise.all(attributes.map(({ id }) => reader.read(id, "blob")));
  if (!texts.some((text) => text.includes("filter=lfs"))) return [];
  const filters = await filtersOf(repository, attributes, paths, scratch);
  return files.filter(({ path }) => filters.get(path) === "lfs");
}
