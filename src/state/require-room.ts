import { statfs } from "node:fs/promises";
import { formatBytes } from "../agent/format-bytes.js";
import { KaiError } from "../error.js";
import { type StagedStateFile, stagedFile } from "../operation/staged-state.js";
import { findStat, pathBelow } from "../system/path-bytes.js";

/**
 * Refuses (E118), before anything is changed, where databases could not be restored for want of room: SQLite writes all of the new
 * content beside what is there, or keeps that until it is done.
 */
export async function requireRoom(
  workTree: string,
  folder: string,
  files: readonly Pick<StagedStateFile, "path" | "kind">[],
): Promise<void> {
  let needed = 0n;
  for (const [number, { path, kind }] of files.entries()) {
    const now = kind === "sqlite" ? await findStat(pathBelow(workTree, path)) : undefined;
    // One that is missing is placed by a rename.
    if (now) needed += now.size + ((await findStat(stagedFile(folder, number)))?.size ?? 0n);
  }
  if (needed === 0n) return;
  const { bavail, bsize } = await statfs(workTree, { bigint: true });
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new KaiError(
    "E118",
    `There is too little room to restore the databases: ${formatBytes(Number(needed))} are needed, ${formatBytes(Number(free))} are free.`,
    {
      hint: "Nothing was changed. Free some space and run it again.",
    },
  );
}
