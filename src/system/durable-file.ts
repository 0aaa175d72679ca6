import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Writes a file so that after a crash it is there whole or not at all: aside, synced, renamed, folder synced. */
export async function writeDurably(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const aside = `${file}.new-${process.pid}`;
  try {
    const handle = await open(aside, "w", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (cause) {
    await rm(aside, { force: true });
    throw cause;
  }
  await syncFolder(path.dirname(file));
}

/**
 * Makes a folder and those above it where they are missing. Node's own `recursive` says "no such file" whatever the disk's
 * trouble was.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" || path.dirname(folder) === folder) throw cause;
    await makeFolder(path.dirname(folder));
    // Behind a link that leads nowhere it still cannot be made, and never will be.
    await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
  });
}

/** Appends to a file and syncs it. */
export async function appendDurably(file: string, content: string): Promise<void> {
  const handle = await open(file, "a", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder last; a folder that is not there has none to sync. */
export async function syncFolder(folder: string | Buffer): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(folder, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw cause;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
