import { constants, createReadStream } from "node:fs";
import { open, readlink, rm } from "node:fs/promises";
import { KaiError } from "../../error.js";
import { changeTree } from "../../git/change-tree.js";
import type { Repository } from "../../git/repository.js";
import { type BlobSource, writeBlobs } from "../../git/write-blobs.js";
import { makeFolder } from "../../system/durable-file.js";
import { HeldFolder, openBelow } from "../../system/held-folder.js";
import { readablePath } from "../../system/path-bytes.js";
import type { FoundChange } from "./found-changes.js";

export interface StoreRequest {
  /** The tree that the sandbox began with. */
  readonly tree: string;
  /** The folder that holds what was added and modified: the upper layer, or the copy. */
  readonly folder: string;
  readonly changes: readonly FoundChange[];
  /** A folder for the time being, made and removed here. */
  readonly scratch: string;
  readonly inherit?: readonly number[];
}

/**
 * Writes what a sandbox changed into the repository, raw, and gives the tree that the files are then. Each file is opened from
 * folder to folder, no link followed, and must be what it was when it was found. Nothing runs in the sandbox meanwhile.
 */
export async function storeChanges(repository: Repository, request: StoreRequest): Promise<string> {
  const { tree, folder, changes, scratch, inherit = [] } = request;
  if (changes.length === 0) return tree;
  const kept = changes.filter(({ mode }) => mode !== null);
  const ids = await writeBlobs(
    repository,
    kept.map((change) => sourceOf(folder, change)),
    inherit,
  );
  const idOf = new Map(kept.map(({ path }, index) => [path, ids[index] ?? ""]));
  const paths = changes.map(({ path, mode }) => ({ path, mode: mode ?? "0", id: idOf.get(path) ?? "" }));
  await makeFolder(scratch);
  try {
    return await changeTree(repository, tree, paths, scratch, inherit);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function sourceOf(folder: string, change: FoundChange): BlobSource {
  const { path: name, mode, size } = change;
  return { size, chunks: () => (mode === "120000" ? linkBytes(folder, name) : fileBytes(folder, change)) };
}

async function* linkBytes(folder: string, name: string): AsyncGenerator<Uint8Array> {
  yield await inFolderOf(folder, name, (parent, base) => readlink(parent.at(base), "buffer"));
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function* fileBytes(folder: string, { path: name, size }: FoundChange): AsyncGenerator<Uint8Array> {
  const handle = await inFolderOf(folder, name, (parent, base) => open(parent.at(base), FLAGS));
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size !== size) throw changed(name);
    // A size that the stream cannot go beyond, whatever happens to the file meanwhile.
    if (size > 0) yield* createReadStream("", { fd: handle, autoClose: false, end: size - 1 });
  } finally {
    await handle.close();
  }
}

async function inFolderOf<T>(
  root: string,
  name: string,
  use: (parent: HeldFolder, base: string) => Promise<T>,
): Promise<T> {
  const folders = name.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(root, folders, { make: false });
  if (!(parent instanceof HeldFolder)) throw changed(name);
  try {
    return await use(parent, base);
  } catch (cause) {
    if (cause instanceof KaiError) throw cause;
    throw changed(name, cause);
  } finally {
    parent.close();
  }
}

const changed = (name: string, cause?: unknown): KaiError =>
  new KaiError("E123", `${readablePath(name)} changed while it was read.`, {
    hint: "Something still writes in the sandbox's folder. Stop it and try again.",
    cause,
  });
