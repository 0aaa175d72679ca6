import { accessSync, constants } from "node:fs";
import path from "node:path";
import { KaiError } from "../error.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";

/**
 * Refuses (E118) paths (latin1) that could not be replaced once it has been decided that they are: in folders where another file
 * system is mounted, to which nothing can be renamed that waits on the working tree's own, and in those that cannot be written.
 */
export async function requireReplaceable(workTree: string, paths: readonly string[]): Promise<void> {
  const own = (await findStat(workTree))?.dev;
  const looked = new Set<string>();
  const look = async (folder: string, name: string): Promise<void> => {
    if (looked.has(folder)) return;
    looked.add(folder);
    const stat = await findStat(pathBelow(workTree, folder));
    if (stat?.isDirectory() !== true) return look(path.posix.dirname(folder), name);
    if (stat.dev !== own) throw elsewhere(name);
    requireWritable(workTree, folder, name);
  };
  for (const name of paths) await look(path.posix.dirname(name), name);
}

const elsewhere = (name: string): KaiError =>
  new KaiError("E118", `${readablePath(name)} lies on another file system than the working tree.`, {
    hint: "Nothing was changed. Unmount that for the time being, or take its files out of the repository.",
  });

function requireWritable(workTree: string, folder: string, name: string): void {
  try {
    accessSync(pathBelow(workTree, folder), constants.W_OK | constants.X_OK);
  } catch (cause) {
    const where = folder === "." ? "the working tree" : readablePath(folder);
    throw new KaiError("E118", `${readablePath(name)} cannot be replaced: ${where} cannot be written.`, {
      hint: "Nothing was changed. Mend its permissions, or the file system that it is on, and run it again.",
      cause,
    });
  }
}
