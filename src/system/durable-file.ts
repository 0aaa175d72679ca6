import { closeSync, constants, fsync, openSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";

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
 * Makes a folder and those above it where they are missing, and gives the uppermost that it made. Node's own `recursive` says
 * "no such file" whatever the disk's trouble was, and never ends where nothing can be made (/proc). E118 there.
 */
export async function makeFolder<Path extends string | Buffer>(folder: Path, mode = 0o700): Promise<Path | undefined> {
  try {
    return await makeOne(folder, mode);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const above = folderAbove(folder);
    if (code !== "ENOENT" || above.length === folder.length) throw cause;
    const first = await makeFolder(above, mode);
    const made = await makeOne(folder, mode).catch((again: NodeJS.ErrnoException) => {
      // Behind a link that leads nowhere, or where the kernel alone makes folders, it never will be.
      throw again.code === "ENOENT" ? unmakeable(folder, again) : again;
    });
    return first ?? made;
  }
}

/** As `makeFolder`; what it made lasts. */
export async function makeFolderDurably(folder: string, mode?: number): Promise<string | undefined> {
  const first = await makeFolder(folder, mode);
  for (let each = folder; first !== undefined && each.startsWith(first); ) {
    each = path.dirname(each);
    await syncFolder(each);
  }
  return first;
}

const folderAbove = <Path extends string | Buffer>(folder: Path): Path =>
  (typeof folder === "string"
    ? path.dirname(folder)
    : folder.subarray(0, Math.max(1, folder.lastIndexOf("/")))) as Path;

const unmakeable = (folder: string | Buffer, cause: Error): KaiError =>
  new KaiError("E118", `${folder} cannot be made: nothing can be made where it is to be.`, {
    hint: "Nothing was half-written: name another folder.",
    cause,
  });

/** The folder, or undefined where it is there already. */
async function makeOne<Path extends string | Buffer>(folder: Path, mode: number): Promise<Path | undefined> {
  try {
    await mkdir(folder, { mode });
    return folder;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    return undefined;
  }
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

/** Makes the bytes of a file that is there last. */
export async function syncFile(file: Buffer | string): Promise<void> {
  await syncAt(openSync(file, constants.O_RDONLY));
}

/** Makes the names in a folder last; a folder that is not there has none to sync. */
export async function syncFolder(folder: string | Buffer): Promise<void> {
  let descriptor: number;
  try {
    descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Below a file there is none either.
    if (code === "ENOENT" || code === "ENOTDIR") return;
    throw cause;
  }
  await syncAt(descriptor);
}

/** Only to sync takes long enough for another thread: to open and to close a thousand files there takes as long as to sync them. */
async function syncAt(descriptor: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(descriptor, (cause) => (cause ? reject(cause) : resolve()));
    });
  } finally {
    closeSync(descriptor);
  }
}
