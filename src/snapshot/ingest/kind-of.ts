import type { BigIntStats } from "node:fs";

const SETUID = 0o6000n;

/** `whiteout`, `folder`, `file`, `link`, or in words why it is none of them. */
export function kindOf(stat: BigIntStats): string {
  if (stat.isCharacterDevice() && stat.rdev === 0n) return "whiteout";
  if (stat.isDirectory()) return "folder";
  if (stat.isSymbolicLink()) return "link";
  if (stat.isFile()) return stat.mode & SETUID ? "setuid or setgid" : "file";
  if (stat.isFIFO()) return "a FIFO";
  return stat.isSocket() ? "a socket" : "a device";
}
