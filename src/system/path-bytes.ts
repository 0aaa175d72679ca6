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
export const readablePath = (latin1: string): string => textOf(latin1) ?? percentEncodedPath(latin1);

/**
 * A path as text. One that is not UTF-8 is percent-encoded and begins with `/`, which no path in a tree does; so two
 * different paths never look the same.
 */
export const distinctPath = (latin1: string): string => textOf(latin1) ?? `/${percentEncodedPath(latin1)}`;

/** The bytes (as latin1 text) of a path that `distinctPath` wrote. */
export const latin1Path = (distinct: string): string =>
  distinct.startsWith("/")
    ? distinct.slice(1).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : Buffer.from(distinct).toString("latin1");

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are ASCII, too
const ASCII = /^[\u0000-\u007f]*$/;

export const isAsciiText = (text: string): boolean => ASCII.test(text);

function textOf(latin1: string): string | undefined {
  // Most paths, of which there may be tens of thousands.
  if (isAsciiText(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

const percentEncodedPath = (latin1: string): string =>
  [...Buffer.from(latin1, "latin1")]
    .map((byte) => (byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : percentEncoded(byte)))
    .join("");

/** `%` and two hexadecimal digits, as in a URI (RFC 3986). */
export const percentEncoded = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
