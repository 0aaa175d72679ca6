import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** Much of a file at a time: a large one is read in few steps. */
const CHUNK_BYTES = 2 ** 20;

/** Reads a file from its beginning to its end; a chunk is good until `onChunk` is done with it. */
export async function readChunks(handle: FileHandle, onChunk: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    await onChunk(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** SHA-256 (hexadecimal) and size of a file's bytes, which `onChunk` gets, too. */
export async function digestFile(
  handle: FileHandle,
  onChunk: (chunk: Buffer) => Promise<void> = async () => {},
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  await readChunks(handle, (chunk) => {
    hash.update(chunk);
    size += chunk.length;
    return onChunk(chunk);
  });
  return { sha256: hash.digest("hex"), size };
}
