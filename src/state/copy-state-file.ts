import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { digestFile } from "../system/file-chunks.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { distinctPath } from "../system/path-bytes.js";
import { backUpSqlite, isSqlite } from "../system/sqlite.js";
import { encryptFile } from "../trust/encrypt-file.js";
import type { Recipients } from "../trust/recipients.js";
import type { CapturedFile, StoredBytes } from "./capture-manifest.js";
import type { CaptureRequest } from "./capture-state.js";
import { LARGE_BYTES } from "./state-store.js";

/**
 * Copies the state file at `name` (latin1) to `copy` in the folder `scratch`, encrypted where there are recipients, no link on
 * the way followed; undefined where it is no regular file, or has gone.
 */
export async function copyStateFile(
  repository: Repository & { workTree: string },
  name: string,
  copy: string,
  { scratch, recipients, at }: Pick<CaptureRequest, "scratch" | "recipients" | "at">,
): Promise<CapturedFile | undefined> {
  const folders = name.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(repository.workTree, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(parent.at(base), flags).catch(notAFile);
    if (handle === undefined) return undefined;
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return undefined;
      const target = path.join(scratch, copy);
      const kind = (await isSqlite(handle)) ? "sqlite" : "file";
      if (kind === "sqlite") {
        const source = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
        await backUpSqlite(source, scratch, copy, repository.env);
      }
      const digest = kind === "sqlite" ? await digestCopy(target) : await copyAndDigest(handle, target);
      const encrypted = recipients && (await encryptCopy(target, recipients, at));
      return {
        path: distinctPath(name),
        mode: stat.mode & 0o111 ? "100755" : "100644",
        kind,
        ...digest,
        ...(encrypted && { encrypted }),
        ...((encrypted ?? digest).size > LARGE_BYTES && { stored: "kai" }),
      };
    } finally {
      await handle.close();
    }
  } finally {
    parent.close();
  }
}

function notAFile(cause: NodeJS.ErrnoException): undefined {
  if (["ELOOP", "ENOENT", "ENXIO", "EISDIR"].includes(cause.code ?? "")) return undefined;
  throw cause;
}

async function copyAndDigest(handle: FileHandle, target: string): Promise<StoredBytes> {
  const out = await open(target, "wx", 0o600);
  try {
    return await digestFile(handle, (chunk) => out.writeFile(chunk));
  } finally {
    await out.close();
  }
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
