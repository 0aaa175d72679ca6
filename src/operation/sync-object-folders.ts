import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { syncFolder } from "../system/durable-file.js";
import { kaiFolderOf } from "./kai-folder.js";
import { CLOCK_TICK_MS } from "./temporary-files.js";

/**
 * Makes the names of all objects last that were written since a time (milliseconds), by default since the operation lock was taken:
 * git syncs their bytes and not the folders that name them.
 */
export async function syncObjectFolders(repository: Repository, began?: number): Promise<void> {
  const since = (began ?? (await stat(kaiFolderOf(repository).lock)).mtimeMs) - CLOCK_TICK_MS;
  const objects = repository.env["GIT_OBJECT_DIRECTORY"] ?? path.join(repository.commonDir, "objects");
  const names = (await readdir(objects)).filter((name) => /^([0-9a-f]{2}|pack)$/.test(name));
  const folders = [objects, ...names.map((name) => path.join(objects, name))];
  await Promise.all(
    folders.map(async (folder) => {
      // A user's gc may remove one that is empty.
      const seen = await stat(folder).catch(() => undefined);
      if (seen && seen.mtimeMs >= since) await syncFolder(folder);
    }),
  );
}
