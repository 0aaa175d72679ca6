import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { findStat } from "../system/path-bytes.js";

/** What is at a path that a repository's owner names and a stranger may have filled. */
export type PlainFile =
  | { readonly kind: "file"; readonly bytes: Buffer; readonly whole: boolean }
  | { readonly kind: "absent" }
  /** A link, a folder, a FIFO, a device: never followed, never waited for. */
  | { readonly kind: "other" };

const { O_RDONLY, O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Reads at most `limit` bytes of a regular file; `whole` tells whether that is all of it. */
export async function readPlainFile(file: string, limit: number): Promise<PlainFile> {
  const found = await findStat(file);
  if (found === undefined) return { kind: "absent" };
  if (!found.isFile()) return { kind: "other" };
  // What is there may be another thing by now.
  const handle = await openPlain(file, O_RDONLY);
  if (handle === undefined) return { kind: "other" };
  try {
    const bytes = Buffer.alloc(limit + 1);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more) {
      more = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead;
    }
    return { kind: "file", bytes: bytes.subarray(0, Math.min(length, limit)), whole: length <= limit };
  } finally {
    await handle.close();
  }
}

/** Writes a regular file, or makes it; false, and nothing written, where a link or another thing is in its place. */
export async function writePlainFile(file: string, bytes: Buffer): Promise<boolean> {
  const handle = await openPlain(file, O_WRONLY | O_CREAT);
  if (handle === undefined) return false;
  try {
    await handle.truncate(0);
    await handle.writeFile(bytes);
    return true;
  } finally {
    await handle.close();
  }
}

async function openPlain(file: string, flags: number): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, flags | O_NOFOLLOW | O_NONBLOCK, 0o666);
  } catch (cause) {
    if (["ELOOP", "ENXIO", "EISDIR", "ENOENT"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw cause;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}
