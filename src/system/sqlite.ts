import type { FileHandle } from "node:fs/promises";
import { KaiError } from "../error.js";
import { percentEncoded, readablePath } from "./path-bytes.js";
import { runProcess } from "./process.js";

const MAGIC = "SQLite format 3\0";

/** How long a backup waits for a writer that holds the database. */
const BUSY_MS = 10_000;

/** Whether an open file is an SQLite database, by its first bytes; where it is read next stays the same. */
export async function isSqlite(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
  return bytesRead === MAGIC.length && buffer.toString("latin1") === MAGIC;
}

/**
 * Copies a live database through SQLite's own backup, so that writers may go on: a consistent copy, never a torn one.
 * `source` is an absolute path of any bytes; `folder` is a folder of ours; the copy is `name` in it. E117 without the sqlite3
 * program.
 */
export async function backUpSqlite(
  source: Buffer,
  folder: string,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const result = await runProcess({
    file: "sqlite3",
    // The copy's name is ours, so nothing of the user's is ever part of a command of the shell.
    args: [
      "-bail",
      "-batch",
      "-init",
      "/dev/null",
      existingDatabase(source),
      `.timeout ${BUSY_MS}`,
      `.backup main ${name}`,
    ],
    cwd: folder,
    env,
  });
  const words = result.stderr.toString().trim();
  if (result.exitCode === 0 && !/^Error/m.test(words)) return;
  throw new KaiError(
    "E123",
    `The database ${readablePath(source.toString("latin1"))} could not be copied: ${words || `sqlite3 ended with ${result.exitCode ?? result.signal}`}`,
    {
      hint: "`sqlite3 FILE 'pragma integrity_check'` says whether it is whole.",
    },
  );
}

/**
 * The database's name as a URI (https://sqlite.org/uri.html): any bytes go through it, and `mode=rw` makes no empty database
 * where there is none.
 */
const existingDatabase = (source: Buffer): string =>
  `file://${[...source].map((byte) => PLAIN.exec(String.fromCharCode(byte))?.[0] ?? percentEncoded(byte)).join("")}?mode=rw`;

const PLAIN = /[A-Za-z0-9/._~-]/;
