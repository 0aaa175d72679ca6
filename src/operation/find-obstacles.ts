import { readdir } from "node:fs/promises";
import { ABSENT, type TreeChange } from "../git/tree-diff.js";
import { findStat, pathBelow } from "../system/path-bytes.js";

const GITLINK = "160000";

/**
 * Files (paths as latin1) that git does not track and that stand where the changes put something: at a path itself, in
 * place of a folder above it, or in a folder that is to become a file.
 */
export async function findObstacles(workTree: string, changes: readonly TreeChange[]): Promise<string[]> {
  const tracked = new Set(changes.filter((each) => each.oldMode !== ABSENT).map((each) => each.path));
  const found = new Set<string>();
  const clear = new Set<string>();
  for (const { path: name, newMode } of changes) {
    if (newMode === ABSENT || newMode === GITLINK) continue;
    const above = await findObstacleAbove(workTree, name, clear);
    if (above !== undefined) {
      if (!tracked.has(above)) found.add(above);
      continue;
    }
    const now = await findStat(pathBelow(workTree, name));
    if (now === undefined) continue;
    if (!now.isDirectory()) {
      if (!tracked.has(name)) found.add(name);
      continue;
    }
    for await (const file of filesBelow(workTree, name)) if (!tracked.has(file)) found.add(file);
  }
  return [...found];
}

/** The first thing on the way to `name` that is no folder, links not followed; `clear` remembers the folders seen. */
export async function findObstacleAbove(
  workTree: string,
  name: string,
  clear: Set<string>,
): Promise<string | undefined> {
  for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
    const folder = name.slice(0, end);
    if (clear.has(folder)) continue;
    const stat = await findStat(pathBelow(workTree, folder));
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) return folder;
    clear.add(folder);
  }
  return undefined;
}

async function* filesBelow(workTree: string, folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(pathBelow(workTree, folder), { withFileTypes: true, encoding: "latin1" })) {
    const below = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(workTree, below);
    else yield below;
  }
}
