import type { BigIntStats } from "node:fs";
import { readlink } from "node:fs/promises";
import { pathBelow } from "../../system/path-bytes.js";
import { sameBytes } from "./same-bytes.js";

export interface FileIn {
  readonly root: string;
  readonly stat: BigIntStats;
}

/** What git keeps of a mode: the kind, and whether its owner may execute it. */
const KEPT = 0o170100n;

/** Whether a file or link (latin1) is to git what it was; what cannot be read is not, for whoever then looks at it to say so. */
export async function isSameFile(file: string, before: FileIn, now: FileIn): Promise<boolean> {
  if ((before.stat.mode & KEPT) !== (now.stat.mode & KEPT) || before.stat.size !== now.stat.size) return false;
  const [was, is] = [pathBelow(before.root, file), pathBelow(now.root, file)];
  if (!now.stat.isSymbolicLink()) return sameBytes(was, is).catch(() => false);
  return (await readlink(was, "latin1")) === (await readlink(is, "latin1"));
}
