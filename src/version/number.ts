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

const NUMERIC = "0|[1-9]\\d*";
const IDENTIFIER = `(?:${NUMERIC}|\\d*[A-Za-z-][0-9A-Za-z-]*)`;

/** The grammar of semver 2.0.0. The library's own parser costs ten times as much, and a start as much as git does. */
const STRICT = new RegExp(
  `^(${NUMERIC})\\.(${NUMERIC})\\.(${NUMERIC})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`,
);

/** As the library and npm have it. */
const LONGEST = 256;

/** Reads a version strictly: no prefix, no blanks, nothing made up. Undefined for anything else. */
export function findNumber(text: string): VersionNumber | undefined {
  const match = text.length > LONGEST ? null : STRICT.exec(text);
  if (!match) return undefined;
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (![major, minor, patch].every(Number.isSafeInteger)) return undefined;
  const prerelease = match[4]?.split(".").map(identifierOf) ?? [];
  return { major, minor, patch, prerelease, build: match[5]?.split(".") ?? [], text };
}

/** A number that a computer cannot tell from the next one stays text, as in the library. */
const identifierOf = (text: string): string | number =>
  /^\d+$/.test(text) && Number(text) < Number.MAX_SAFE_INTEGER ? Number(text) : text;

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
