import { mkdir, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { syncFolder, writeDurably } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import type { StagedWorktree } from "./apply-worktree.js";
import { canonicalJson } from "./canonical-json.js";
import { findObstacleAbove } from "./find-obstacles.js";

/** What a command made aside, file or folder, as `outputs/<its number>` in the staging folder; by where it belongs, as latin1. */
export type StagedOutputs = readonly string[];

const MANIFEST = "outputs.json";

export const stagedOutput = (folder: string, number: number): string => path.join(folder, "outputs", String(number));

export const writeStagedOutputs = (folder: string, outputs: StagedOutputs): Promise<void> =>
  writeDurably(path.join(folder, MANIFEST), canonicalJson(outputs));

/**
 * Puts what was installed aside in place of what is there, which is removed with the staging folder. May be run again after a
 * crash at any point. Gives the paths (latin1) that a link or a file above them keeps from their place.
 */
export async function applyOutputs({ folder, workTree }: StagedWorktree): Promise<string[]> {
  const text = await readFile(path.join(folder, MANIFEST), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });
  if (text === undefined || workTree === undefined) return [];
  const conflicts: string[] = [];
  const clear = new Set<string>();
  await mkdir(path.join(folder, "replaced"), { recursive: true });
  for (const [number, name] of (JSON.parse(text) as StagedOutputs).entries()) {
    const staged = stagedOutput(folder, number);
    // Gone from here: it was put in place before.
    if ((await findStat(staged)) === undefined) continue;
    if ((await findObstacleAbove(workTree, name, clear)) !== undefined) {
      conflicts.push(name);
      continue;
    }
    const target = pathBelow(workTree, name);
    const parent = pathBelow(workTree, name.slice(0, Math.max(0, name.lastIndexOf("/"))));
    await mkdir(parent, { recursive: true });
    const replaced = path.join(folder, "replaced", String(number));
    const stands = (await findStat(target)) !== undefined;
    // Made anew since a run before moved away what was there.
    if (stands && (await findStat(replaced)) !== undefined) {
      conflicts.push(name);
      continue;
    }
    if (stands) await rename(target, replaced);
    await rename(staged, target);
    await syncFolder(parent);
  }
  return conflicts;
}
