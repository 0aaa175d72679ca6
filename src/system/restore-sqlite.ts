import { closeSync, copyFileSync, openSync, readSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { readablePath } from "./path-bytes.js";
import { runSqlite, type SqliteRequest } from "./sqlite.js";

/** Moves what was written to the database's own file and syncs it; where a reader is in the way it lasts in the log beside it. */
const CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)";

/**
 * Puts the content of `copy` (a file of `folder`) into a database that is there, in one transaction of SQLite's own backup: other
 * programs may have it open, and a write-ahead log is never bypassed. `unusable`: what is there is no database any more, or
 * so damaged that SQLite will not write to it. E118 where it cannot be written or is locked for too long.
 */
export async function restoreSqlite(
  request: Omit<SqliteRequest, "commands">,
  copy: string,
): Promise<"restored" | "unusable"> {
  const run = (...commands: string[]) => runSqlite({ ...request, commands });
  const restore = [`.restore main ${copy}`, CHECKPOINT];
  let words = await run(...restore);
  if (words !== undefined && /readonly/.test(words)) {
    // Under a write-ahead log SQLite lets nobody change the page size: it ends first, or else the copy is paged anew.
    words = await run("PRAGMA journal_mode=DELETE", ...restore);
    if (words !== undefined && /locked|busy/.test(words)) words = await restoreInPagesOf(request, copy, run);
  }
  if (words === undefined) return "restored";
  if (/not a database|malformed|unsupported file format/.test(words)) return "unusable";
  const name = readablePath(request.database.toString("latin1"));
  throw new KaiError("E118", `The database ${name} could not be restored: ${words}`, {
    hint: "Stop what has it open, or mend the disk or its permissions, and run `git kai-version recover`.",
  });
}

async function restoreInPagesOf(
  request: Omit<SqliteRequest, "commands">,
  copy: string,
  run: (...commands: string[]) => Promise<string | undefined>,
): Promise<string | undefined> {
  const paged = `${copy}-paged`;
  const file = path.join(request.folder, paged);
  copyFileSync(path.join(request.folder, copy), file);
  try {
    const commands = ["PRAGMA journal_mode=DELETE", `PRAGMA page_size=${pageSizeOf(request.database)}`, "VACUUM"];
    const words = await runSqlite({ ...request, database: Buffer.from(file), commands });
    return words ?? (await run(`.restore main ${paged}`, CHECKPOINT));
  } finally {
    await rm(file, { force: true });
  }
}

/** Bytes 16 and 17 of the header, 1 for 65,536 (https://sqlite.org/fileformat.html). */
function pageSizeOf(database: Buffer): number {
  const descriptor = openSync(database, "r");
  try {
    const header = Buffer.alloc(18);
    readSync(descriptor, header, 0, header.length, 0);
    const size = header.readUInt16BE(16);
    return size === 1 ? 65_536 : size;
  } finally {
    closeSync(descriptor);
  }
}
