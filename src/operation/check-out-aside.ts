import { mkdirSync } from "node:fs";
import type { Repository } from "../git/repository.js";
import { type GitOptions, runGit } from "../git/run-git.js";
import { syncFile } from "../system/durable-file.js";
import { inParallel } from "../system/in-parallel.js";
import { findStat, pathBelow } from "../system/path-bytes.js";

/** So many files one git process writes before several have begun. */
const FEW = 100;
/** How many processes write at a time, of as many parts: one is synced while others are written. */
const LANES = 2;
const PARTS = 4;

/**
 * Writes the files at these paths (latin1) of the index that `options` names into `folder`, which is empty, and syncs them, but not the
 * folders that name them. What a sparse checkout leaves out is not written.
 */
export async function checkOutAside(
  repository: Repository,
  paths: readonly string[],
  folder: string,
  options: GitOptions,
): Promise<void> {
  const checkOut = (part: readonly string[]) =>
    runGit(repository, ["checkout-index", "-f", "--ignore-skip-worktree-bits", "-z", "--stdin"], {
      ...options,
      env: { ...options.env, GIT_WORK_TREE: folder },
      cwd: folder,
      input: Buffer.from(part.map((name) => `${name}\0`).join(""), "latin1"),
    });
  const synced: Promise<void>[] = [];
  const write = async (part: readonly string[]): Promise<void> => {
    if (part.length === 0) return;
    await checkOut(part);
    const syncing = syncFiles(folder, part);
    // Whether it failed is asked at the end.
    syncing.catch(() => {});
    synced.push(syncing);
  };
  const { parts, last } = divide(paths);
  // Two processes that make the same folder at the same moment do not get on with each other.
  if (parts.length > 1) for (const name of foldersAbove(paths)) mkdirSync(pathBelow(folder, name));
  const lane = async (): Promise<void> => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) await write(part);
  };
  // Whoever takes the folder away after a failure finds nobody at work in it.
  const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
  if (!ends.some((each) => each.status === "rejected")) ends.push(...(await Promise.allSettled([write(last)])));
  ends.push(...(await Promise.allSettled(synced)));
  const failed = ends.find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
}

/**
 * In an empty working tree git takes attributes from the index, which is the target's, and not from files of today, nor from one that
 * another process is just writing: those that say them come last.
 */
function divide(paths: readonly string[]): { parts: (readonly string[])[]; last: readonly string[] } {
  if (paths.length < FEW) return { parts: [paths], last: [] };
  const saysAttributes = (name: string) => name === ".gitattributes" || name.endsWith("/.gitattributes");
  const others = paths.filter((name) => !saysAttributes(name));
  const length = Math.ceil(others.length / PARTS);
  const parts = Array.from({ length: PARTS }, (_, index) => others.slice(index * length, (index + 1) * length));
  return { parts, last: paths.filter(saysAttributes) };
}

/** The folders (latin1) in which files at these paths lie, those above others first. */
export function foldersAbove(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const name of paths) {
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
      const folder = name.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return [...folders].sort((a, b) => a.length - b.length);
}

const syncFiles = (folder: string, paths: readonly string[]): Promise<void> =>
  inParallel(paths, async (name) => {
    const file = pathBelow(folder, name);
    if ((await findStat(file))?.isFile()) await syncFile(file);
  });
