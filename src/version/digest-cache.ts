import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";
import type { ObjectFormat } from "../git/repository.js";
import { makeFolder } from "../system/durable-file.js";

const DIGEST_BYTES = 32;
const CHECK_BYTES = 4;

/**
 * Digests of blobs by object id, in one file of fixed-size records: id, SHA-256, CRC-32 of both. A torn or damaged record
 * does not match its check and is passed over. It saves reading a blob again, and is trusted like the object store beside
 * it: `verify --deep` does without it.
 */
export class DigestCache {
  readonly #file: string;
  readonly #idBytes: number;
  readonly #known: Map<string, string>;

  private constructor(file: string, idBytes: number, known: Map<string, string>) {
    this.#file = file;
    this.#idBytes = idBytes;
    this.#known = known;
  }

  static async open(folder: string, format: ObjectFormat): Promise<DigestCache> {
    const file = path.join(folder, `blob-digests-${format}`);
    const idBytes = format === "sha1" ? 20 : 32;
    const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return Buffer.alloc(0);
      throw cause;
    });
    return new DigestCache(file, idBytes, parseRecords(bytes, idBytes));
  }

  get(id: string): string | undefined {
    return this.#known.get(id);
  }

  /** Adds digests; a disk that cannot be written costs time later and nothing else. */
  async add(digests: ReadonlyMap<string, string>): Promise<void> {
    const records = [...digests].filter(([id]) => !this.#known.has(id)).map(([id, digest]) => formatRecord(id, digest));
    if (records.length === 0) return;
    try {
      await makeFolder(path.dirname(this.#file));
      const handle = await open(this.#file, "a", 0o600);
      try {
        // What an interrupted run left at the end would shift all that follows.
        const { size } = await handle.stat();
        const torn = size % (this.#idBytes + DIGEST_BYTES + CHECK_BYTES);
        if (torn !== 0) await handle.truncate(size - torn);
        await handle.appendFile(Buffer.concat(records));
      } finally {
        await handle.close();
      }
    } catch {
      return;
    }
    for (const [id, digest] of digests) this.#known.set(id, digest);
  }
}

function parseRecords(bytes: Buffer, idBytes: number): Map<string, string> {
  const length = idBytes + DIGEST_BYTES + CHECK_BYTES;
  const known = new Map<string, string>();
  const hex = bytes.toString("hex");
  for (let offset = 0; offset + length <= bytes.length; offset += length) {
    const end = offset + length - CHECK_BYTES;
    if (crc32(bytes.subarray(offset, end)) !== bytes.readUInt32BE(end)) continue;
    known.set(hex.slice(2 * offset, 2 * (offset + idBytes)), hex.slice(2 * (offset + idBytes), 2 * end));
  }
  return known;
}

function formatRecord(id: string, digest: string): Buffer {
  const body = Buffer.from(id + digest, "hex");
  const check = Buffer.alloc(CHECK_BYTES);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([body, check]);
}
