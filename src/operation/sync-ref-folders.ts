import path from "node:path";
import type { Repository } from "../git/repository.js";
import { syncFolder } from "../system/durable-file.js";

/** Makes renames of loose ref files last: git syncs the files, not the folders that name them. */
export async function syncRefFolders(repository: Repository, refs: readonly string[]): Promise<void> {
  const folders = new Set<string>([repository.commonDir]);
  for (const ref of refs) {
    // A new folder for a ref needs the folder above it synced too.
    for (let at = path.dirname(ref); at !== "."; at = path.dirname(at))
      folders.add(path.join(repository.commonDir, at));
  }
  await Promise.all([...folders].map((folder) => syncFolder(folder)));
}
