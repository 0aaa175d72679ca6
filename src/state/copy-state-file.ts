import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { readChunks } from "../system/file-chunks.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { readablePath } from "../system/path-bytes.js";
import { backUpSqlite, isSqlite } from "../system/sqlite.js";
import type { CapturedFile } from "./capture-manifest.js";

/** A copy of a state file, of which nothing is known yet but how it was made. */
export interface CopiedFile extends Pick<CapturedFile, "mode" | "kind" | "size"> {
  /** Of the state file, latin1. */
  readonly path: string;
  /** The name of the copy in the folder `scratch`. */
  readonly copy: string;
  /** Why SQLite cannot read this database, which was copied as the bytes that it is; absent where there is no such reason. */
  readonly unreadable?: string;
}

/** What becomes of a database that SQLite cannot read: it is refused (E123), or copied as the bytes that it is. */
export type Unreadable = "refuse" | "copy bytes";

/**
 * Copies the state file at `name` (latin1) to `copy` in the folder `scratch`, no link on the way followed; undefined where it is
 * no regular file, or has gone. E123 for a file that may not be read, and a database that SQLite cannot read, unless its bytes will do.
 */
export async function copyStateFile(
  repository: Repository & { workTree: string },
  name: string,
  copy: string,
  scratch: string,
  unreadable: Unreadable,
): Promise<CopiedFile | undefined> {
  const folders = name.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(repository.workTree, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(parent.at(base), flags).catch((cause: NodeJS.ErrnoException) => notAFile(name, cause));
    if (handle === undefined) return undefined;
    try {
      const original = await handle.stat();
      if (!original.isFile()) return undefined;
      const target = path.join(scratch, copy);
      const source = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
      const database = await isSqlite(handle);
      const why = database ? await backUpSqlite(source, scratch, copy, repository.env) : undefined;
      if (why !== undefined && unreadable === "refuse") throw noDatabase(name, why);
      const kind = database && why === undefined ? "sqlite" : "file";
      if (kind === "file") await copyBytes(handle, target);
      const { size } = await stat(target);
      const mode = original.mode & 0o111 ? "100755" : "100644";
      return { path: name, copy, mode, kind, size, ...(why !== undefined && { unreadable: why }) };
    } finally {
      await handle.close();
    }
  } finally {
    parent.close();
  }
}

const noDatabase = (name: string, why: string): KaiError =>
  new KaiError("E123", `The database ${readablePath(name)} cannot be captured: SQLite cannot read it (${why}).`, {
    hint: "Nothing was changed. `git kai-version rollback current --component state` saves its bytes and puts the state that was captured with the version in force in its place; `state list` shows which versions have some. `artifacts.state.exclude` leaves a file out that is no state.",
    data: { paths: [readablePath(name)] },
  });

function notAFile(name: string, cause: NodeJS.ErrnoException): undefined {
  if (["ELOOP", "ENOENT", "ENXIO", "EISDIR"].includes(cause.code ?? "")) return undefined;
  if (!["EACCES", "EPERM"].includes(cause.code ?? "")) throw cause;
  throw new KaiError("E123", `The state file ${readablePath(name)} cannot be read: you lack the right.`, {
    hint: "Nothing was changed. Give yourself the right to read it, or leave it out by `artifacts.state.exclude` where it is no state.",
    data: { paths: [readablePath(name)] },
    cause,
  });
}

async function copyBytes(handle: FileHandle, target: string): Promise<void> {
  const out = await open(target, "wx", 0o600);
  try {
    await readChunks(handle, (chunk) => out.writeFile(chunk));
  } finally {
    await out.close();
  }
}
