import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "../system/durable-file.js";

/** A part of what a cache keeps: what is needed at once as JSON, and the bytes that it is about. */
export interface Piece {
  readonly index: unknown;
  readonly body: Buffer;
}

/** A piece in its file; of its body only what is asked for is read. */
export interface StoredPiece {
  readonly index: unknown;
  readonly size: number;
  /** Bytes of the body, which nobody has checked: another process may have put another file there. Undefined where there are none. */
  read(start: number, size: number): Buffer | undefined;
}

export interface KeptPieces {
  readonly pieces: readonly StoredPiece[];
  /** False where something behind them is damaged: what is appended there would not be found. */
  readonly whole: boolean;
}

/** `\n<format> <CRC-32 of the index> <bytes of the index> <bytes of the body>\n`, then index and body. */
const HEADER = /^\n(kai-[a-z-]+\/\d+) ([0-9a-f]{8}) (\d{1,10}) (\d{1,10})\n/;
const LONGEST_HEADER = 100;

/**
 * The pieces of a file, oldest first, up to the first that is damaged, torn or of another format. What lies behind that is not
 * looked for: bytes of a body, which others may have made, could pass for a piece.
 */
export function readPieces(file: string, format: string): KeptPieces {
  const pieces: StoredPiece[] = [];
  try {
    const descriptor = openSync(file, "r");
    try {
      const { size } = fstatSync(descriptor);
      for (let start = 0; start < size; ) {
        const header = HEADER.exec(readAt(descriptor, start, LONGEST_HEADER).toString("latin1"));
        const [whole = "", of, check, indexSize, bodySize] = header ?? [];
        const body = start + whole.length + Number(indexSize);
        const end = body + Number(bodySize);
        if (of !== format || end > size) return { pieces, whole: false };
        const index = readAt(descriptor, start + whole.length, Number(indexSize));
        if (checkOf(index) !== check) return { pieces, whole: false };
        pieces.push({
          index: JSON.parse(index.toString()),
          size: end - body,
          read: (at, many) => readBody(file, body + at, many),
        });
        start = end;
      }
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // There is none yet, it cannot be read, or it is none of ours.
    return { pieces, whole: false };
  }
  return { pieces, whole: true };
}

function readBody(file: string, start: number, size: number): Buffer | undefined {
  try {
    const descriptor = openSync(file, "r");
    try {
      const bytes = readAt(descriptor, start, size);
      return bytes.length === size ? bytes : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

function readAt(descriptor: number, start: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, size, start));
}

/** Adds a piece behind the others. Nothing is synced: what a crash tore is found by its check. */
export async function appendPiece(file: string, format: string, piece: Piece): Promise<void> {
  await write(file, "a", formatPiece(format, piece));
}

/** Puts one piece in the place of all: those who read meanwhile have the ones or the other. */
export async function replacePieces(file: string, format: string, piece: Piece): Promise<void> {
  const aside = `${file}.new-${process.pid}`;
  try {
    await write(aside, "w", formatPiece(format, piece));
    await rename(aside, file);
  } catch (cause) {
    await rm(aside, { force: true });
    throw cause;
  }
}

/** Removes a file of which something is damaged, so that the next command makes it anew. */
export function forgetKept(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Whoever cannot write there reads it anew each time.
  }
}

async function write(file: string, flags: "a" | "w", bytes: Buffer): Promise<void> {
  await makeFolder(path.dirname(file));
  const handle = await open(file, flags, 0o600);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

function formatPiece(format: string, { index, body }: Piece): Buffer {
  const json = Buffer.from(JSON.stringify(index));
  return Buffer.concat([Buffer.from(`\n${format} ${checkOf(json)} ${json.length} ${body.length}\n`), json, body]);
}

export const checkOf = (bytes: Buffer): string => crc32(bytes).toString(16).padStart(8, "0");
