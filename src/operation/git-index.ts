import { copyFile, rename, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { makeFolder, syncFile, syncFolder, writeDurably } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import { canonicalJson } from "./canonical-json.js";
import { type FileIdentity, identityOf, isUntouched, type WorktreeManifest } from "./worktree-manifest.js";

/**
 * Copies an index, where there is one, with its time: by that git tells that a file may have been changed within the same second, and
 * looks into it.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const there = await findStat(from);
  if (there === undefined) return;
  await copyFile(from, to);
  await utimes(to, there.atime, there.mtime);
}

/** Refuses (E113) where git's index is not the one that a new one was made of; `index.lock` is held by now. */
export async function requireSameIndex(gitDir: string, seen: FileIdentity | null): Promise<void> {
  const now = await findStat(path.join(gitDir, "index"));
  if (isUntouched(seen, now === undefined ? null : identityOf(now))) return;
  throw new KaiError("E113", "Another git process changed the index meanwhile.", {
    hint: "Nothing was changed. Run the command again.",
  });
}

/** Prepares a new index alone: the working tree already holds what it says. */
export async function stageIndex(folder: string, from: string): Promise<void> {
  await makeFolder(folder);
  const index = path.join(folder, "index");
  await copyIndex(from, index);
  await syncFile(index);
  const manifest: WorktreeManifest = { steps: [] };
  await writeDurably(path.join(folder, "manifest"), canonicalJson(manifest));
  await syncFolder(path.dirname(folder));
}

/** Renames the staged index into place, by way of `aside` where it was staged on the working tree's file system and git's is another. */
export async function replaceIndex(staged: string, index: string, aside: string): Promise<void> {
  try {
    await rename(staged, index);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EXDEV") throw cause;
    const copy = path.join(aside, `${path.basename(path.dirname(staged))}-index`);
    await copyIndex(staged, copy);
    await syncFile(copy);
    await rename(copy, index);
    await rm(staged);
  }
}
