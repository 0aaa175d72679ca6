import { readSync } from "node:fs";
import { haveSameBytes } from "./same-bytes.js";
import { SQLITE_MAGIC } from "./sqlite.js";
import { withFile } from "./with-file.js";

/** Whether a file is an SQLite database, by its first bytes. */
export const looksLikeSqlite = (file: Buffer): boolean =>
  withFile(file, (descriptor) => {
    const start = Buffer.alloc(SQLITE_MAGIC.length);
    return (
      readSync(descriptor, start, 0, start.length, 0) === start.length && start.toString("latin1") === SQLITE_MAGIC
    );
  });

/** Bytes of the header that say how a database is and was written: journal, counters, schema cookie (https://sqlite.org/fileformat.html). */
const HOW_WRITTEN = [
  [18, 20],
  [24, 28],
  [40, 44],
  [92, 100],
] as const;

/** Whether two closed databases, neither with a log beside it, have the same pages. */
export const haveSamePages = (one: string, other: string): boolean => haveSameBytes(one, other, HOW_WRITTEN);
