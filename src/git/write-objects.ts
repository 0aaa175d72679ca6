import path from "node:path";
import { syncFolder } from "../system/durable-file.js";
import type { GitObject } from "./object.js";
import { makePack } from "./pack.js";
import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** Writes objects and syncs them and their folders; one git process for all of them. */
export async function writeObjects(
  repository: Repository,
  objects: readonly GitObject[],
  inherit: readonly number[] = [],
): Promise<void> {
  await unpackObjects(repository, objects, inherit);
  await syncObjectFolders(repository, objects);
}

/** The same, but the folders that name the objects are the caller's to sync. */
export async function unpackObjects(
  repository: Repository,
  objects: readonly GitObject[],
  inherit: readonly number[],
): Promise<void> {
  const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
  if (unique.length === 0) return;
  await runGit(repository, ["unpack-objects", "-q", "--strict"], {
    input: makePack(unique, repository.objectFormat),
    config: SYNCED_REFS,
    inherit,
  });
}

/** git syncs a loose object's bytes but not the folder that names it. */
async function syncObjectFolders(repository: Repository, objects: readonly GitObject[]): Promise<void> {
  const root = repository.env["GIT_OBJECT_DIRECTORY"] ?? path.join(repository.commonDir, "objects");
  const folders = new Set(objects.map((object) => path.join(root, object.id.slice(0, 2))));
  await Promise.all([...folders, root].map((folder) => syncFolder(folder)));
}
