import { statfs } from "node:fs/promises";
import path from "node:path";
import { type Check, missing, ok, warn } from "./check.js";

const MIB = 1024 * 1024;
const TOO_LITTLE = 64 * MIB;
const LITTLE = 1024 * MIB;

/** The room where sandboxes have their folders. */
export async function checkDisk(tempDir: string): Promise<Check> {
  const free = await freeBytes(path.resolve(tempDir));
  const detail = `${Math.round(free / MIB)} MiB free in ${tempDir}`;
  const remedy = "Free some space, or choose another snapshot_isolation.temp_dir.";
  if (free < TOO_LITTLE) return missing("disk", detail, remedy);
  return free < LITTLE ? warn("disk", detail, remedy) : ok("disk", detail);
}

/** Of the folder, or of the nearest one above that is already there. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (cause) {
    if (path.dirname(folder) === folder) throw cause;
    return freeBytes(path.dirname(folder));
  }
}
