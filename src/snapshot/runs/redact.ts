import { holdsMarked, markedPlaces, type SecretMark, searchedTogether } from "./secret-marks.js";
import { partsOf } from "./secret-parts.js";

const MASK = Buffer.from("[secret]");
/** Shorter ones would be found everywhere, and be no secret. */
const SHORTEST = 4;

/** Whether one of the secrets stands in it. */
export const holdsSecret = (bytes: Buffer, secrets: readonly string[]): boolean =>
  worthHiding(secrets).some((secret) => bytes.includes(secret));

/** Whether one of the secrets, or one of which there is a mark alone, stands in bytes that come piece by piece. */
export class StreamSearch {
  readonly #secrets: readonly Buffer[];
  readonly #marks: readonly (readonly SecretMark[])[];
  readonly #held: number;
  #rest = Buffer.alloc(0);

  constructor(secrets: readonly string[], marks: readonly SecretMark[]) {
    this.#secrets = worthHiding(secrets);
    this.#marks = searchedTogether(marks);
    this.#held = Math.max(0, ...[...this.#secrets, ...marks].map(({ length }) => length - 1));
  }

  holds(chunk: Buffer): boolean {
    const all = Buffer.concat([this.#rest, chunk]);
    this.#rest = all.subarray(Math.max(0, all.length - this.#held));
    return this.#secrets.some((secret) => all.includes(secret)) || this.#marks.some((alike) => holdsMarked(all, alike));
  }
}

/**
 * Masks secrets in bytes that come piece by piece: what a sandbox prints is shown and kept, what it was told in confidence is not.
 * Nothing is held back but an end that may be the beginning of a secret.
 */
export class StreamRedactor {
  readonly #secrets: readonly Buffer[];
  #rest = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    this.#secrets = worthHiding(secrets);
  }

  /** What can be told of all that came so far. */
  push(chunk: Buffer): Buffer {
    if (this.#secrets.length === 0) return chunk;
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const { told, rest } = mask(all, this.#secrets, false);
    this.#rest = Buffer.from(rest);
    return told;
  }

  end(): Buffer {
    const { told } = mask(this.#rest, this.#secrets, true);
    this.#rest = Buffer.alloc(0);
    return told;
  }
}

/** A text with the secrets in it masked. */
export function maskText(text: string, secrets: readonly string[]): string {
  const hidden = worthHiding(secrets);
  return hidden.length === 0 ? text : mask(Buffer.from(text), hidden, true).told.toString();
}

/** The same of each word of a command. */
export const maskWords = (words: readonly string[], secrets: readonly string[]): string[] =>
  words.map((word) => maskText(word, secrets));

/** The same of bytes, also of secrets of which there is a mark alone. */
export function maskBytes(bytes: Buffer, secrets: readonly string[], marks: readonly SecretMark[]): Buffer {
  const masked = mask(bytes, worthHiding(secrets), true).told;
  return searchedTogether(marks).reduce((so, alike) => maskPlaces(so, alike), masked);
}

/** Each of the values, all of one length; of two that overlap the first. */
function maskPlaces(bytes: Buffer, marks: readonly SecretMark[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const place of markedPlaces(bytes, marks)) {
    if (place < from) continue;
    parts.push(bytes.subarray(from, place), MASK);
    from = place + (marks[0]?.length ?? 0);
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

/** With their lines, the longest first: one may be a part of another. */
const worthHiding = (secrets: readonly string[]): Buffer[] =>
  [...new Set(secrets.flatMap(partsOf))]
    .map((secret) => Buffer.from(secret))
    .filter(({ length }) => length >= SHORTEST)
    .sort((a, b) => b.length - a.length);

/** Masks from the left what stands in `all`. Unless `isWhole`, what may become a secret with more bytes is the rest. */
function mask(all: Buffer, secrets: readonly Buffer[], isWhole: boolean): { told: Buffer; rest: Buffer } {
  const places = secrets.map((secret) => ({ secret, at: all.indexOf(secret) }));
  const parts: Buffer[] = [];
  let from = 0;
  for (;;) {
    const held = isWhole ? all.length : openEnd(all, from, secrets);
    for (const place of places) if (place.at >= 0 && place.at < from) place.at = all.indexOf(place.secret, from);
    const next = places.filter(({ at }) => at >= 0 && at < held).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) {
      parts.push(all.subarray(from, held));
      return { told: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), rest: all.subarray(held) };
    }
    parts.push(all.subarray(from, next.at), MASK);
    from = next.at + next.secret.length;
  }
}

/** Where an end of `all` begins, at `from` or later, that is the beginning of a secret and not all of it. */
function openEnd(all: Buffer, from: number, secrets: readonly Buffer[]): number {
  const longest = secrets[0]?.length ?? 0;
  for (let at = Math.max(from, all.length - longest + 1); at < all.length; at++) {
    const length = all.length - at;
    const begins = (secret: Buffer): boolean =>
      secret[0] === all[at] && secret.length > length && secret.compare(all, at, all.length, 0, length) === 0;
    if (secrets.some(begins)) return at;
  }
  return all.length;
}
