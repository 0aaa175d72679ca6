import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { findPossibleOwners } from "./stale-lock-owners.js";

/** Names that git gives to objects and packs while it writes them, and fast-import to its report of a failure. */
const TEMPORARY = /^(tmp_obj_|tmp_pack_|tmp_idx_|fast_import_crash_\d+$)/;

/** File systems write times more coarsely than they keep births. */
export const CLOCK_TICK_MS = 1000;

/**
 * Removes what git processes that died left half-written since `since` (milliseconds). Where git is at work in the
 * repository nothing is touched: it could be that process's, and `git gc` takes it some day.
 */
export async function removeTemporaryFiles(repository: Repository, since: number): Promise<void> {
  const found: string[] = [];
  for (const folder of await foldersOf(repository)) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (TEMPORARY.test(name)) found.push(path.join(folder, name));
    }
  }
  const ours: string[] = [];
  for (const file of found) {
    const seen = await stat(file).catch(() => undefined);
    if (seen && seen.mtimeMs >= since - CLOCK_TICK_MS) ours.push(file);
  }
  if (ours.length === 0) return;
  const alive = await findPossibleOwners(repository, ours);
  if (alive === undefined || alive.length > 0) return;
  for (const file of ours) await rm(file, { force: true });
}

async function foldersOf(repository: Repository): Promise<string[]> {
  const objects = path.join(repository.commonDir, "objects");
  const names = await readdir(objects).catch(() => []);
  const loose = names.filter((name) => /^[0-9a-f]{2}$/.test(name)).map((name) => path.join(objects, name));
  return [repository.commonDir, repository.gitDir, objects, path.join(objects, "pack"), ...loose];
}

/** When a file of ours came to be, in milliseconds; where the file system does not keep that, when it was last written. */
export async function bornAt(file: string): Promise<number> {
  const seen = await stat(file);
  return seen.birthtimeMs > 0 ? Math.min(seen.birthtimeMs, seen.mtimeMs) : seen.mtimeMs;
}
