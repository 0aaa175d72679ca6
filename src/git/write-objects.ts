import path from "node:path";
import { syncFolder } from "../system/durable-file.js";
import type { GitObject } from "./object.js";
import { makePack } from "./pack.js";
import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { gitFailure, runGit, tryGit } from "./run-git.js";

/** Writes objects and syncs them and their folders; one git process for all of them. */
export async function writeObjects(
  repository: Repository,
  objects: readonly GitObject[],
  inherit: readonly number[] = [],
): Promise<void> {
  await unpackObjects(repository, objects, inherit);
  await syncObjectFolders(repository, objects);
}

/**
 * The same, but the folders that name the objects are the caller's to sync. With `strict` git refuses objects that its fsck would, and
 * those that name others which are not there.
 */
export async function unpackObjects(
  repository: Repository,
  objects: readonly GitObject[],
  inherit: readonly number[],
  { strict } = { strict: true },
): Promise<void> {
  const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
  if (unique.length === 0) return;
  const args = ["unpack-objects", "-q", ...(strict ? ["--strict"] : [])];
  const options = { input: makePack(unique, repository.objectFormat), config: SYNCED_REFS, inherit };
  for (let left = TRIES - 1; left > 0; left--) {
    const result = await tryGit(repository, args, options);
    if (result.exitCode === 0) return;
    // `git prune-packed`, a part of `git repack -d`, takes away a folder that an object was just going into.
    if (!/failed to write object/.test(result.stderr.toString())) throw gitFailure(args, result);
  }
  await runGit(repository, args, options);
}

/** To write an object again costs little, and whoever repacks is soon done. */
const TRIES = 3;

/** git syncs a loose object's bytes but not the folder that names it. */
async function syncObjectFolders(repository: Repository, objects: readonly GitObject[]): Promise<void> {
  const root = repository.env["GIT_OBJECT_DIRECTORY"] ?? path.join(repository.commonDir, "objects");
  const folders = new Set(objects.map((object) => path.join(root, object.id.slice(0, 2))));
  await Promise.all([...folders, root].map((folder) => syncFolder(folder)));
}
