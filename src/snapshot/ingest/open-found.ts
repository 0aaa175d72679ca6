import type { BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { HeldFolder, openBelow } from "../../system/held-folder.js";
import { TO_READ } from "../../system/with-file.js";
import type { FoundChange } from "./found-changes.js";

/** Does something in the folder that a path (latin1) of `root` lies in, no link followed; undefined where there is none any more. */
export async function inParentOf<T>(
  root: string,
  path: string,
  use: (parent: HeldFolder, name: string) => Promise<T>,
): Promise<T | undefined> {
  const folders = path.split("/");
  const name = folders.pop() ?? "";
  const parent = openBelow(root, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    return await use(parent, name);
  } finally {
    parent.close();
  }
}

/** Opens a regular file that was found in `root`; undefined where it is not as it was found. */
export function openFound(root: string, { path, size }: FoundChange): Promise<FileHandle | undefined> {
  return inParentOf(root, path, async (parent, name) => {
    const handle = await open(parent.at(name), TO_READ);
    const stat = await handle.stat().catch(() => undefined);
    if (stat?.isFile() && stat.size === size) return handle;
    await handle.close();
    return undefined;
  });
}

const OWNER_READS = 0o400n;
/** Whoever it is, and whatever groups he is in. */
const ALL_READ = 0o444n;

/** What keeps the caller from reading a regular file; undefined where nothing does. Only where its mode leaves a doubt it is opened. */
export async function findUnreadable(root: string, path: string, { uid, mode }: BigIntStats): Promise<unknown> {
  if ((mode & ALL_READ) === ALL_READ || (Number(uid) === process.getuid?.() && mode & OWNER_READS)) return undefined;
  try {
    await inParentOf(root, path, async (parent, name) => (await open(parent.at(name), TO_READ)).close());
    return undefined;
  } catch (cause) {
    return cause;
  }
}
