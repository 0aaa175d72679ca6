import { type BigIntStats, lstatSync } from "node:fs";

/** A path below `root` from git's bytes (latin1 text); as a Buffer, because names need not be UTF-8. */
export const pathBelow = (root: string, latin1: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(latin1, "latin1")]);

/** The file's own status, links not followed; undefined where nothing is, or a folder on the way is a file. */
export async function findStat(path: Buffer | string): Promise<BigIntStats | undefined> {
  // Synchronous: it takes microseconds, and the way through the thread pool a hundred times as long.
  try {
    return lstatSync(path, { bigint: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw cause;
  }
}

/** A path's bytes as text for people and JSON: as it is where it is UTF-8, else percent-encoded (`%` too). */
export function readablePath(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return [...bytes]
    .map((byte) =>
      byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}
