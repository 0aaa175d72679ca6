import { constants, lstatSync } from "node:fs";
import { open, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { makeFolder, syncFile, syncFolder } from "../system/durable-file.js";
import { digestFile } from "../system/file-chunks.js";
import { moveFile } from "../system/move-file.js";
import {
  type CapturedFile,
  type CaptureManifest,
  parseCapture,
  type StoredBytes,
  storedBytesOf,
} from "./capture-manifest.js";

/** Beyond this a captured file is kept outside git's objects: git would read it whole to hash it, and pack it again and again. */
export const LARGE_BYTES = 16 * 2 ** 20;

/** Where the clone keeps large captured files, each by the SHA-256 of its bytes. */
const storeOf = (repository: Pick<Repository, "commonDir">): string => path.join(repository.commonDir, "kai", "state");

export const storedFile = (repository: Pick<Repository, "commonDir">, sha256: string): string =>
  path.join(storeOf(repository), sha256);

/** Large files of a capture of which the store has nothing; what it has is verified when it is read. */
export const listMissing = (
  repository: Pick<Repository, "commonDir">,
  { files }: CaptureManifest,
): readonly CapturedFile[] =>
  files.filter((file) => {
    if (file.stored !== "kai") return false;
    const found = lstatSync(storedFile(repository, storedBytesOf(file).sha256), { throwIfNoEntry: false });
    return found?.isFile() !== true;
  });

/** Moves a file into the store, so that it is there after a crash; one that is there under this digest is replaced. */
export async function storeFile(repository: Repository, file: string, sha256: string): Promise<void> {
  await makeFolder(storeOf(repository));
  await syncFile(file);
  moveFile(file, storedFile(repository, sha256));
  await syncFolder(storeOf(repository));
  await syncFolder(kaiFolderOf(repository).root);
}

/** Whether the store has a file with these bytes. */
export async function isStoredWhole(
  repository: Pick<Repository, "commonDir">,
  { sha256, size }: StoredBytes,
): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(storedFile(repository, sha256), flags).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const stat = await handle.stat();
    return stat.isFile() && stat.size === size && (await digestFile(handle)).sha256 === sha256;
  } finally {
    await handle.close();
  }
}

/** Where captures are named, by versions, backups and clones. */
const CAPTURES = ["state", "backup", "remotes", "conflict", "pending"].map((name) => `refs/kai/${name}`);

/**
 * Removes large files that no capture names any more, under the operation lock. Gives the bytes freed; `dryRun` removes
 * nothing, and takes the refs in `without` for gone.
 */
export async function sweepStore(
  repository: Repository,
  reader: ObjectReader,
  { without = [], dryRun = false }: { readonly without?: readonly string[]; readonly dryRun?: boolean } = {},
): Promise<number> {
  const names = (await readdir(storeOf(repository)).catch(() => [])).filter((name) => NAME.test(name));
  if (names.length === 0) return 0;
  const named = await listNamed(repository, reader, new Set(without));
  let freed = 0;
  for (const name of names) {
    if (named.has(name.slice(0, 64))) continue;
    const file = path.join(storeOf(repository), name);
    freed += (await stat(file)).size;
    if (!dryRun) await rm(file, { force: true });
  }
  return freed;
}

/** What is kept, and what was on its way from another file system. */
const NAME = /^[0-9a-f]{64}(?:\.kai-moved)?$/;

async function listNamed(
  repository: Repository,
  reader: ObjectReader,
  without: ReadonlySet<string>,
): Promise<Set<string>> {
  const listed = await runGit(repository, ["for-each-ref", "--format=%(refname)", ...CAPTURES]);
  const refs = listed
    .toString()
    .split("\n")
    .filter((ref) => ref !== "" && !without.has(ref));
  const named = new Set<string>();
  for (const description of await Promise.all(refs.map((ref) => reader.find(`${ref}:capture.json`)))) {
    const manifest = description && parseCapture(description.content, null);
    for (const file of manifest?.files ?? []) if (file.stored === "kai") named.add(storedBytesOf(file).sha256);
  }
  return named;
}
