import type { InForce, LoggedEntry } from "../operation/entry.js";
import { isPromotion, type Promotion } from "./standing.js";

/** What a history needs at once of a part of the log, newest first. */
export interface LogIndex {
  /** The newest commit, whether an entry or not. */
  readonly head: string;
  /** The commit of the newest entry; null where there is none. */
  readonly newest: string | null;
  /** What the newest entry says is in force. */
  readonly current: InForce | null;
  /** The commit of the newest entry that changed what is in force; null where none did. */
  readonly move: string | null;
  /** Tag and number of each version that was made, as `formatMade` writes them: mostly somebody asks of a few. */
  readonly made: string;
  /** What each entry withdrew or took back into use that did. */
  readonly withdrawing: readonly Withdrawing[];
  /** What each entry said of a version's standing that did. */
  readonly promotions: readonly Promotion[];
}

export type Made = readonly (readonly [tag: string, version: string])[];

export type Withdrawing = Pick<LoggedEntry, "withdrawn" | "restored">;

/** Some commits as `git log -z --format=%H %P%n%B` printed them, newest first, parted by NUL. */
export interface LogBlock {
  readonly commits: number;
  /** Undefined where they were kept and are damaged or gone. */
  read(): Buffer | undefined;
}

export interface LogPart {
  readonly index: LogIndex;
  readonly blocks: readonly LogBlock[];
}

/** Parts that follow each other, newest first, as one. */
export function joinParts(parts: readonly [LogPart, ...LogPart[]]): LogPart {
  const newest = parts.find(({ index }) => index.newest !== null)?.index;
  return {
    index: {
      head: parts[0].index.head,
      newest: newest?.newest ?? null,
      current: newest?.current ?? null,
      move: parts.find(({ index }) => index.move !== null)?.index.move ?? null,
      made: formatMade(madeIn(parts)),
      withdrawing: parts.flatMap(({ index }) => index.withdrawing),
      promotions: parts.flatMap(({ index }) => index.promotions),
    },
    blocks: parts.flatMap(({ blocks }) => blocks),
  };
}

/** Tag and number of each version that was made. */
export const madeIn = (parts: readonly LogPart[]): Made => parts.flatMap(({ index }) => parseMade(index.made));

/** The numbers under which this tag was made; of the others nothing is read. */
export const numbersMade = (parts: readonly LogPart[], tag: string): readonly string[] =>
  parts.flatMap(({ index: { made } }) => (made.startsWith("\n") ? numbersInLines(made, tag) : numbersOf(made, tag)));

/** Lines of tag and number, the first one empty; JSON where one of them is odder than ours are. */
export function formatMade(made: Made): string {
  if (!made.every((pair) => pair.every((text) => /^[!-~]+$/.test(text)))) return JSON.stringify(made);
  return `\n${made.map(([tag, version]) => `${tag} ${version}\n`).join("")}`;
}

const parseMade = (made: string): Made =>
  made.startsWith("\n")
    ? made
        .slice(1)
        .split("\n")
        .slice(0, -1)
        .map((line) => pairOf(line.split(" ")))
    : (JSON.parse(made) as Made);

const pairOf = ([tag = "", version = ""]: readonly string[]): readonly [string, string] => [tag, version];

const numbersOf = (made: string, tag: string): string[] =>
  parseMade(made).flatMap(([each, version]) => (each === tag ? [version] : []));

function numbersInLines(made: string, tag: string): string[] {
  const beginning = `\n${tag} `;
  const found: string[] = [];
  for (let at = made.indexOf(beginning); at >= 0; at = made.indexOf(beginning, at + 1)) {
    found.push(made.slice(at + beginning.length, made.indexOf("\n", at + 1)));
  }
  return found;
}

/** Whether JSON is the index of a part. */
export function isLogIndex(value: unknown): value is LogIndex {
  const { head, newest, current, move, made, withdrawing, promotions } = (value ?? {}) as Partial<
    Record<keyof LogIndex, unknown>
  >;
  return (
    typeof head === "string" &&
    isTextOrNull(newest) &&
    isTextOrNull(move) &&
    (current === null || isInForce(current)) &&
    typeof made === "string" &&
    Array.isArray(withdrawing) &&
    withdrawing.every((each) => isTexts(each?.withdrawn) && isTexts(each?.restored)) &&
    Array.isArray(promotions) &&
    promotions.every(isPromotion)
  );
}

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

function isInForce(value: unknown): value is InForce {
  const { version, tag, pointer } = (value ?? {}) as Partial<Record<keyof InForce, unknown>>;
  return [version, tag, pointer].every((each) => typeof each === "string");
}
