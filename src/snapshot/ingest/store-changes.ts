import { createReadStream } from "node:fs";
import { readlink } from "node:fs/promises";
import { KaiError } from "../../error.js";
import { changeTree, type TreePath } from "../../git/change-tree.js";
import { type GitObject, makeObject } from "../../git/object.js";
import type { ObjectReader } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import { type BlobSource, readSource, writeBlobs } from "../../git/write-blobs.js";
import { readablePath } from "../../system/path-bytes.js";
import type { FoundChange } from "./found-changes.js";
import { inParentOf, openFound } from "./open-found.js";

export interface StoreRequest {
  /** The tree that the sandbox began with. */
  readonly tree: string;
  /** The folder that holds what was added and modified: the upper layer, or the copy. */
  readonly folder: string;
  readonly changes: readonly FoundChange[];
  readonly reader?: ObjectReader | undefined;
  readonly inherit?: readonly number[];
}

/**
 * Writes what a sandbox changed into the repository, raw, and gives the tree that the files are then. Each file is opened from
 * folder to folder, no link followed, and must be what it was when it was found. Nothing runs in the sandbox meanwhile.
 */
export async function storeChanges(repository: Repository, request: StoreRequest): Promise<string> {
  const { tree, folder, changes, reader, inherit = [] } = request;
  if (changes.length === 0) return tree;
  const kept = changes.filter(({ mode }) => mode !== null);
  const sources = kept.map((change) => sourceOf(folder, change));
  const { ids, beside } = fitsInMemory(sources)
    ? await readBlobs(repository, sources)
    : { ids: await writeBlobs(repository, sources, inherit), beside: [] };
  const idOf = new Map(kept.map(({ path }, index) => [path, ids[index] ?? ""]));
  const paths = changes.map(({ path, mode }): TreePath => ({ path, mode: mode ?? "0", id: idOf.get(path) ?? "" }));
  return changeTree(repository, tree, paths, { reader, inherit, beside });
}

/** What is no more than that is written with the trees, without a git process of its own. */
const SMALL_BYTES = 4 * 1024 * 1024;
const SMALL_COUNT = 500;

const fitsInMemory = (sources: readonly BlobSource[]): boolean =>
  sources.length <= SMALL_COUNT && sources.reduce((sum, { size }) => sum + size, 0) <= SMALL_BYTES;

async function readBlobs({ objectFormat }: Repository, sources: readonly BlobSource[]) {
  const beside: GitObject[] = [];
  for (const source of sources) {
    const content = await readSource(source);
    beside.push(makeObject("blob", content, objectFormat));
  }
  return { ids: beside.map(({ id }) => id), beside };
}

const sourceOf = (folder: string, change: FoundChange): BlobSource => ({
  size: change.size,
  chunks: () => bytesOf(folder, change),
});

/** What was added or modified, as it is stored. E123 where it is not what it was when it was found. */
export const bytesOf = (folder: string, change: FoundChange): AsyncGenerator<Uint8Array> =>
  change.mode === "120000" ? linkBytes(folder, change.path) : fileBytes(folder, change);

async function* linkBytes(folder: string, name: string): AsyncGenerator<Uint8Array> {
  const read = inParentOf(folder, name, (parent, base) => readlink(parent.at(base), "buffer"));
  yield await asFound(name, read);
}

async function* fileBytes(folder: string, change: FoundChange): AsyncGenerator<Uint8Array> {
  const handle = await asFound(change.path, openFound(folder, change));
  try {
    // A size that the stream cannot go beyond, whatever happens to the file meanwhile.
    if (change.size > 0) yield* createReadStream("", { fd: handle, autoClose: false, end: change.size - 1 });
  } finally {
    await handle.close();
  }
}

/** No file any more, or no link: the kernel's words for what is something else by now. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ENXIO"]);

async function asFound<T>(name: string, opened: Promise<T | undefined>): Promise<T> {
  const found = await opened.catch((cause: unknown) => {
    throw GONE.has((cause as NodeJS.ErrnoException).code ?? "") ? changed(name, cause) : unread(name, cause);
  });
  if (found === undefined) throw changed(name);
  return found;
}

const changed = (name: string, cause?: unknown): KaiError =>
  new KaiError("E123", `${readablePath(name)} changed while it was read.`, {
    hint: "Something still writes in the sandbox's folder. Stop it and try again.",
    cause,
  });

const unread = (name: string, cause: unknown): KaiError =>
  new KaiError("E123", `${readablePath(name)} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`, {
    hint: "Remove it in the sandbox, or see to it that it can be read, and try again.",
    cause,
  });
