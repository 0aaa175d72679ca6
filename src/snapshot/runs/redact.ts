import { holdsMarked, type SecretMark } from "./secret-marks.js";

const MASK = Buffer.from("[secret]");
/** Shorter ones would be found everywhere, and be no secret. */
const SHORTEST = 4;

/** Whether one of the secrets stands in it. */
export const holdsSecret = (bytes: Buffer, secrets: readonly string[]): boolean =>
  worthHiding(secrets).some((secret) => bytes.includes(secret));

/** Whether one of the secrets, or one of which there is a mark alone, stands in bytes that come piece by piece. */
export class StreamSearch {
  readonly #secrets: readonly Buffer[];
  readonly #marks: readonly SecretMark[];
  #rest = Buffer.alloc(0);

  constructor(secrets: readonly string[], marks: readonly SecretMark[]) {
    this.#secrets = worthHiding(secrets);
    this.#marks = marks;
  }

  holds(chunk: Buffer): boolean {
    const all = Buffer.concat([this.#rest, chunk]);
    const held = Math.max(0, ...[...this.#secrets, ...this.#marks].map(({ length }) => length - 1));
    this.#rest = all.subarray(Math.max(0, all.length - held));
    return this.#secrets.some((secret) => all.includes(secret)) || this.#marks.some((mark) => holdsMarked(all, mark));
  }
}

/** Masks secrets in bytes that come piece by piece: what a sandbox prints is kept, what it was told in confidence is not. */
export class StreamRedactor {
  readonly #secrets: readonly Buffer[];
  /** So many bytes at the end may be the beginning of a secret. */
  readonly #held: number;
  #rest = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    this.#secrets = worthHiding(secrets);
    this.#held = Math.max(0, ...this.#secrets.map(({ length }) => length - 1));
  }

  /** What can be told of all that came so far. */
  push(chunk: Buffer): Buffer {
    if (this.#held === 0) return chunk;
    const all = this.#masked(Buffer.concat([this.#rest, chunk]));
    const told = Math.max(0, all.length - this.#held);
    this.#rest = Buffer.from(all.subarray(told));
    return all.subarray(0, told);
  }

  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  #masked(bytes: Buffer): Buffer {
    // Longest first: one may be a part of another.
    return this.#secrets.reduce(replaceAll, bytes);
  }
}

const worthHiding = (secrets: readonly string[]): Buffer[] =>
  [...new Set(secrets)]
    .map((secret) => Buffer.from(secret))
    .filter(({ length }) => length >= SHORTEST)
    .sort((a, b) => b.length - a.length);

function replaceAll(bytes: Buffer, secret: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, from)) {
    parts.push(bytes.subarray(from, at), MASK);
    from = at + secret.length;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
}
