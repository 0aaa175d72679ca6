import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { readChunks } from "../system/file-chunks.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { backUpSqlite, isSqlite } from "../system/sqlite.js";
import type { CapturedFile } from "./capture-manifest.js";

/** A copy of a state file, of which nothing is known yet but how it was made. */
export interface CopiedFile extends Pick<CapturedFile, "mode" | "kind" | "size"> {
  /** Of the state file, latin1. */
  readonly path: string;
  /** The name of the copy in the folder `scratch`. */
  readonly copy: string;
}

/**
 * Copies the state file at `name` (latin1) to `copy` in the folder `scratch`, no link on the way followed; undefined where it is
 * no regular file, or has gone.
 */
export async function copyStateFile(
  repository: Repository & { workTree: string },
  name: string,
  copy: string,
  scratch: string,
): Promise<CopiedFile | undefined> {
  const folders = name.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(repository.workTree, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(parent.at(base), flags).catch(notAFile);
    if (handle === undefined) return undefined;
    try {
      const original = await handle.stat();
      if (!original.isFile()) return undefined;
      const target = path.join(scratch, copy);
      const kind = (await isSqlite(handle)) ? "sqlite" : "file";
      if (kind === "file") await copyBytes(handle, target);
      else {
        const source = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
        await backUpSqlite(source, scratch, copy, repository.env);
      }
      const { size } = await stat(target);
      return { path: name, copy, mode: original.mode & 0o111 ? "100755" : "100644", kind, size };
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

async function copyBytes(handle: FileHandle, target: string): Promise<void> {
  const out = await open(target, "wx", 0o600);
  try {
    await readChunks(handle, (chunk) => out.writeFile(chunk));
  } finally {
    await out.close();
  }
}
