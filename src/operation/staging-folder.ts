import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { discardFolder } from "../system/discard-folder.js";
import { findStat } from "../system/path-bytes.js";
import { takeBackLinks } from "./apply-links.js";
import type { WorktreeManifest } from "./worktree-manifest.js";

/**
 * Where files wait before they are renamed into place: on the working tree's own file system, out of sight in the git
 * folder where that is the same one.
 */
export async function stagingFolderOf(
  workTree: string | undefined,
  staging: string,
  operation: string,
): Promise<string> {
  if (workTree === undefined) return path.join(staging, operation);
  const [inGit, inTree] = await Promise.all([stat(staging), stat(workTree)]);
  return inGit.dev === inTree.dev ? path.join(staging, operation) : stagingInTree(workTree, operation);
}

const stagingInTree = (workTree: string, operation: string): string => path.join(workTree, `.kai-staging-${operation}`);

/** Where an interrupted operation staged its files; undefined where it had not begun to, or is done with it. */
export async function findStagingFolder(
  workTree: string | undefined,
  staging: string,
  operation: string,
): Promise<string | undefined> {
  const folders = [path.join(staging, operation)];
  if (workTree !== undefined) folders.push(stagingInTree(workTree, operation));
  for (const folder of folders) if (await findStat(folder)) return folder;
  return undefined;
}

export async function readManifest(folder: string): Promise<WorktreeManifest | undefined> {
  const text = await readFile(path.join(folder, "manifest"), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });
  return text === undefined ? undefined : (JSON.parse(text) as WorktreeManifest);
}

/** Removes what was staged, also beside links; much of it goes on being removed when this command has ended. */
export async function removeStaging(folder: string, trash: string): Promise<void> {
  await takeBackLinks(folder);
  const removed = await readdir(path.join(folder, "removed")).catch(() => []);
  if (removed.length <= REMOVED_AT_ONCE) await rm(folder, { recursive: true, force: true });
  else await discardFolder(folder, trash);
}

/** To free the blocks of a file takes a millisecond or more on a disk that discards them at once. */
const REMOVED_AT_ONCE = 100;
