import path from "node:path";
import { KaiError } from "../error.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";

/**
 * Refuses (E118) paths (latin1) in folders where another file system is mounted: nothing that waits on the working tree's own can be
 * renamed to there.
 */
export async function requireOneFileSystem(workTree: string, paths: readonly string[]): Promise<void> {
  const own = (await findStat(workTree))?.dev;
  const known = new Map<string, boolean>([[".", true]]);
  const isOwn = async (folder: string): Promise<boolean> => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const stat = await findStat(pathBelow(workTree, folder));
    const is = stat === undefined ? await isOwn(path.posix.dirname(folder)) : stat.dev === own;
    known.set(folder, is);
    return is;
  };
  for (const name of paths) {
    if (await isOwn(path.posix.dirname(name))) continue;
    throw new KaiError("E118", `${readablePath(name)} lies on another file system than the working tree.`, {
      hint: "Nothing was changed. Unmount that for the time being, or take its files out of the repository.",
    });
  }
}
