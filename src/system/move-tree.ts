import { cp, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { syncFolder } from "./durable-file.js";
import { findStat } from "./path-bytes.js";

/** Renames a file or folder; false where the other place is on another file system, or one is mounted there. */
export async function tryRename(from: string | Buffer, to: string | Buffer): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (cause) {
    if (!["EXDEV", "EBUSY"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    return false;
  }
}

/** Copies a file or folder, links as links, so that after a crash it is there whole and synced or not at all. */
export async function copyTree(from: string, to: string): Promise<void> {
  const aside = `${to}.part`;
  await rm(aside, { recursive: true, force: true });
  try {
    await cp(from, aside, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await syncTree(aside);
    await rename(aside, to);
  } catch (cause) {
    await rm(aside, { recursive: true, force: true });
    throw cause;
  }
  await syncFolder(path.dirname(to));
}

export async function syncTree(top: string): Promise<void> {
  const stat = await findStat(top);
  if (stat?.isDirectory()) {
    for (const name of await readdir(top)) await syncTree(path.join(top, name));
    await syncFolder(top);
  } else if (stat?.isFile()) {
    const handle = await open(top, "r");
    await handle.sync().finally(() => handle.close());
  }
}
