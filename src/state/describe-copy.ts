import { open, rename } from "node:fs/promises";
import path from "node:path";
import { digestFile } from "../system/file-chunks.js";
import { distinctPath } from "../system/path-bytes.js";
import { encryptFile } from "../trust/encrypt-file.js";
import type { Recipients } from "../trust/recipients.js";
import type { CapturedFile, StoredBytes } from "./capture-manifest.js";
import type { CopiedFile } from "./copy-state-file.js";
import { LARGE_BYTES } from "./state-store.js";

/** What a capture says of a copy in the folder `scratch`; where there are recipients it is encrypted in its place. */
export async function describeCopy(
  { path: name, copy, mode, kind }: CopiedFile,
  { scratch, recipients, at }: { scratch: string; recipients?: Recipients | undefined; at: Date },
): Promise<CapturedFile> {
  const file = path.join(scratch, copy);
  const digest = await digestCopy(file);
  const encrypted = recipients && (await encryptCopy(file, recipients, at));
  return {
    path: distinctPath(name),
    mode,
    kind,
    ...digest,
    ...(encrypted && { encrypted }),
    ...((encrypted ?? digest).size > LARGE_BYTES && { stored: "kai" }),
  };
}

/** Puts the message in the copy's place. */
async function encryptCopy(copy: string, recipients: Recipients, at: Date): Promise<StoredBytes> {
  const message = `${copy}.pgp`;
  await encryptFile(copy, message, recipients, at);
  await rename(message, copy);
  return digestCopy(copy);
}

async function digestCopy(copy: string): Promise<StoredBytes> {
  const handle = await open(copy, "r");
  try {
    return await digestFile(handle);
  } finally {
    await handle.close();
  }
}
