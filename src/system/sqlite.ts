import { type FileHandle, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { findStat, percentEncoded, readablePath } from "./path-bytes.js";
import { runProcess } from "./process.js";

/** The first bytes of every database file. */
export const SQLITE_MAGIC = "SQLite format 3\0";

/** How long a backup waits for a writer that holds the database. */
const BUSY_MS = 10_000;

/** In bytes, of a database that has a page at all. */
const SMALLEST_PAGE = 512n;

/** What SQLite keeps beside a database while it is used, or was when its user died (https://sqlite.org/tempfiles.html). */
export const SQLITE_SIBLINGS = ["-wal", "-shm", "-journal"] as const;

/** Whether an open file is an SQLite database, by its first bytes; where it is read next stays the same. */
export async function isSqlite(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_MAGIC.length), 0, SQLITE_MAGIC.length, 0);
  return bytesRead === SQLITE_MAGIC.length && buffer.toString("latin1") === SQLITE_MAGIC;
}

/**
 * Copies a live database through SQLite's own backup: a consistent copy, never a torn one. Writers go on, those of a database without
 * a write-ahead log as soon as it is copied.
 * `source` is an absolute path of any bytes in which no link is followed; `folder` is a folder of ours; the copy is `name` in
 * it, and is synced by whoever keeps it. Gives why SQLite cannot read what is there, and leaves no copy then; undefined where
 * it was copied. E117 without the sqlite3 program, E123 where somebody holds the database for too long.
 */
export async function backUpSqlite(
  source: Buffer,
  folder: string,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const before = await sizesOf(source);
  // SQLite takes it for a new one, and what is in it for nothing.
  if (before.file < SMALLEST_PAGE) return "it is cut short";
  const words = await runSqlite({
    database: source,
    folder,
    env,
    // Within a transaction: else SQLite begins anew whenever somebody writes meanwhile, and may never come to an end.
    commands: [...leavingLog(before), "begin", "select count(*) from sqlite_master", `.backup --async main ${name}`],
  });
  if (words === undefined && !(await isCutShort(source, before, path.join(folder, name)))) return undefined;
  await rm(path.join(folder, name), { force: true });
  if (words === undefined) return "it is cut short";
  if (!/locked|busy|full/.test(words)) return words;
  throw new KaiError("E123", `The database ${readablePath(source.toString("latin1"))} could not be copied: ${words}`, {
    hint: "Stop what holds it, or free some space, and run it again.",
  });
}

/** What SQLite says to a write transaction that writes nothing; undefined where it may begin. */
export const tryWriteLock = async (
  database: Buffer,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> => {
  const commands = [...leavingLog(await sizesOf(database)), "begin immediate", "rollback"];
  return runSqlite({ database, folder, env, commands });
};

/** Whoever closes a database last empties its log; one that a killed writer left is left as it is. */
const leavingLog = ({ log }: Sizes): string[] => (log > 0n ? [".dbconfig no_ckpt_on_close on"] : []);

interface Sizes {
  readonly file: bigint;
  readonly log: bigint;
}

async function sizesOf(database: Buffer): Promise<Sizes> {
  const [file, log] = [await findStat(database), await findStat(Buffer.concat([database, Buffer.from("-wal")]))];
  return { file: file?.size ?? 0n, log: log?.size ?? 0n };
}

/** Pages that are missing from the file, and are in no log either, SQLite copies as zeros. */
async function isCutShort(source: Buffer, before: Sizes, copy: string): Promise<boolean> {
  const [after, copied] = [await sizesOf(source), (await findStat(copy))?.size ?? 0n];
  return [before, after].every(({ file, log }) => log === 0n && file < copied);
}

export interface SqliteRequest {
  /** An absolute path of any bytes; a link in it is refused, and where nothing is nothing is made. */
  readonly database: Buffer;
  /** The folder from which names in commands go; a folder and names of ours, so nothing of the user's is ever a command. */
  readonly folder: string;
  readonly commands: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly inherit?: readonly number[] | undefined;
}

/** Runs commands of the sqlite3 program on a database; gives its words where one failed, undefined where all went well. */
export async function runSqlite(request: SqliteRequest): Promise<string | undefined> {
  const options = ["-bail", "-batch", "-nofollow", "-init", "/dev/null"];
  const { exitCode, signal, stderr } = await runProcess({
    file: "sqlite3",
    args: [...options, existingDatabase(request.database), `.timeout ${BUSY_MS}`, ...request.commands],
    cwd: request.folder,
    env: request.env,
    inherit: request.inherit,
  });
  const words = stderr.toString().trim();
  if (exitCode === 0 && !/^(?:\w+ )?error/im.test(words)) return undefined;
  return plainWords(words) || `sqlite3 ended with ${exitCode ?? signal}`;
}

/** Without what the program says of its own work: `Error: in prepare, file is not a database (26)`. */
const plainWords = (words: string): string =>
  words.replace(/^(?:\w+ )?error(?: near line \d+)?: (?:in prepare, |stepping, )?/i, "").replace(/ \(\d+\)$/, "");

/**
 * The database's name as a URI (https://sqlite.org/uri.html): any bytes go through it, and `mode=rw` makes no empty database
 * where there is none.
 */
const existingDatabase = (source: Buffer): string =>
  `file://${[...source].map((byte) => PLAIN.exec(String.fromCharCode(byte))?.[0] ?? percentEncoded(byte)).join("")}?mode=rw`;

const PLAIN = /[A-Za-z0-9/._~-]/;
