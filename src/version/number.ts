import type { SemVer } from "semver";
import parse from "semver/functions/parse.js";
import { KaiError } from "../error.js";

/** A semantic version (semver 2.0.0), without prefix. */
export interface VersionNumber {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: readonly (string | number)[];
  readonly build: readonly string[];
  /** `1.2.0-rc.1+build`, as it was written. */
  readonly text: string;
}

const STRICT = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Reads a version strictly: no prefix, no blanks, nothing made up. Undefined for anything else. */
export function findNumber(text: string): VersionNumber | undefined {
  const match = STRICT.exec(text);
  if (!match) return undefined;
  if (match[4] === undefined && match[5] === undefined) {
    // Most versions; the library's own parser costs ten times as much for ten thousand of them.
    const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3])];
    if (![major, minor, patch].every(Number.isSafeInteger)) return undefined;
    return { major, minor, patch, prerelease: [], build: [], text };
  }
  const parsed: SemVer | null = parse(text);
  if (!parsed) return undefined;
  const { major, minor, patch, prerelease, build } = parsed;
  return { major, minor, patch, prerelease: [...prerelease], build: [...build], text };
}

/** A version as users type it, with or without `v`. E107 where it is none. */
export function parseNumber(text: string): VersionNumber {
  const number = findNumber(text.startsWith("v") ? text.slice(1) : text);
  if (number) return number;
  throw new KaiError("E107", `'${text}' is not a semantic version.`, {
    hint: "Versions look like 1.4.0 or 2.0.0-rc.1: three numbers, then a pre-release behind a dash.",
  });
}

export const makeNumber = (major: number, minor: number, patch: number): VersionNumber => ({
  major,
  minor,
  patch,
  prerelease: [],
  build: [],
  text: `${major}.${minor}.${patch}`,
});

/** Precedence by semver 2.0.0, section 11; build metadata does not count. */
export function compareNumbers(a: VersionNumber, b: VersionNumber): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrereleases(a.prerelease, b.prerelease);
}

function comparePrereleases(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    if (left === right) continue;
    if (typeof left === "number" && typeof right === "number") return left - right;
    if (typeof left === "number") return -1;
    if (typeof right === "number") return 1;
    return left < right ? -1 : 1;
  }
  return 0;
}
