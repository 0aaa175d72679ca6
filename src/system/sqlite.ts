import { open } from "node:fs/promises";
import { KaiError } from "../error.js";
import { runProcess } from "./process.js";

const MAGIC = "SQLite format 3\0";

/** How long a backup waits for a writer that holds the database. */
const BUSY_MS = 10_000;

/** Whether a file is an SQLite database, by its first bytes. */
export async function isSqlite(file: string | Buffer): Promise<boolean> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString("latin1") === MAGIC;
  } finally {
    await handle.close();
  }
}

/**
 * Copies a live database through SQLite's own backup, so that writers may go on: a consistent copy, never a torn one.
 * `folder` is a folder of ours; the copy is `name` in it. E117 without the sqlite3 program.
 */
export async function backUpSqlite(
  source: string,
  folder: string,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const result = await runProcess({
    file: "sqlite3",
    // The copy's name is ours, so nothing of the user's is ever part of a command of the shell.
    args: ["-bail", "-batch", "-init", "/dev/null", source, `.timeout ${BUSY_MS}`, `.backup main ${name}`],
    cwd: folder,
    env,
  });
  const words = result.stderr.toString().trim();
  if (result.exitCode === 0 && !/^Error/m.test(words)) return;
  throw new KaiError(
    "E123",
    `The database ${source} could not be copied: ${words || `sqlite3 ended with ${result.exitCode}`}`,
    {
      hint: "`sqlite3 FILE 'pragma integrity_check'` says whether it is whole.",
    },
  );
}
