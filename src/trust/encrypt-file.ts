import { createReadStream, createWriteStream } from "node:fs";
import { Readable, Writable } from "node:stream";
import type { Recipients } from "./recipients.js";

/** Writes what is in a file to `target`, where nothing is, as an OpenPGP message (RFC 4880) in binary; of any size, never held whole. */
export async function encryptFile(file: string, target: string, { keys }: Recipients, at: Date): Promise<void> {
  const openpgp = await import("openpgp");
  const content = Readable.toWeb(createReadStream(file, { highWaterMark: CHUNK_BYTES })) as ReadableStream<Uint8Array>;
  // Without its name and time: neither is a secret's to tell.
  const message = await openpgp.createMessage({ binary: content, date: new Date(0) });
  const encrypted = await openpgp.encrypt({ message, encryptionKeys: [...keys], format: "binary", date: at });
  await (encrypted as unknown as ReadableStream<Uint8Array>).pipeTo(
    Writable.toWeb(createWriteStream(target, { flags: "wx", mode: 0o600 })) as WritableStream<Uint8Array>,
  );
}

const CHUNK_BYTES = 2 ** 20;
