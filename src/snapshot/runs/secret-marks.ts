import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * What is kept of a value that a sandbox was given, to recognise it in a file when the value itself is not at hand any more: its length,
 * a salted digest, and a salted sum of 16 bits, which finds the few places of a file that are worth a digest. It does not say the
 * value; who can read it can only try guesses.
 */
export interface SecretMark {
  /** Bytes. */
  readonly length: number;
  /** These three in hexadecimal digits. */
  readonly salt: string;
  readonly digest: string;
  readonly sum: number;
}

/** Shorter ones could be guessed from a digest. */
export const SHORTEST_DIGESTED = 8;
/** The largest prime below 2^16, so that products stay exact. */
const PRIME = 65_521;

/** Whether it is a mark as `markSecret` makes them, whoever wrote it. */
export function isSecretMark(value: unknown): value is SecretMark {
  const { length, salt, digest, sum } = Object(value) as Partial<Record<keyof SecretMark, unknown>>;
  const isHex = (text: unknown) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
  return (
    Number.isSafeInteger(length) &&
    Number(length) >= SHORTEST_DIGESTED &&
    isHex(salt) &&
    isHex(digest) &&
    Number.isSafeInteger(sum)
  );
}

/** Undefined for what is too short to be marked. */
export function markSecret(value: string, salt: Buffer = randomBytes(32)): SecretMark | undefined {
  const bytes = Buffer.from(value);
  if (bytes.length < SHORTEST_DIGESTED) return undefined;
  const sum = bytes.reduce((so, byte) => (so * baseOf(salt) + byte) % PRIME, 0);
  return { length: bytes.length, salt: salt.toString("hex"), digest: digestOf(bytes, salt).toString("hex"), sum };
}

/** Marks whose values are looked for in one pass: those of one length and salt. */
export function searchedTogether(marks: readonly SecretMark[]): SecretMark[][] {
  const alike = new Map<string, SecretMark[]>();
  for (const mark of marks) {
    const key = `${mark.length} ${mark.salt}`;
    alike.set(key, [...(alike.get(key) ?? []), mark]);
  }
  return [...alike.values()];
}

/** Whether one of the values stands anywhere in `bytes`; the marks are of one length and salt. */
export const holdsMarked = (bytes: Buffer, marks: readonly SecretMark[]): boolean =>
  markedPlaces(bytes, marks).next().done !== true;

/**
 * Where one of the values begins in `bytes`, from the left; the marks are of one length and salt. A polynomial sum rolls over them
 * (Rabin and Karp), a digest decides.
 */
export function* markedPlaces(bytes: Buffer, marks: readonly SecretMark[]): Generator<number> {
  const [first] = marks;
  if (first === undefined) return;
  const { length } = first;
  const salt = Buffer.from(first.salt, "hex");
  const digests = marks.map(({ digest }) => Buffer.from(digest, "hex"));
  const sums = new Set(marks.map(({ sum }) => sum));
  const base = baseOf(salt);
  let highest = 1;
  for (let place = 1; place < length; place++) highest = (highest * base) % PRIME;
  let so = 0;
  for (let end = 0; end < bytes.length; end++) {
    const leaving = end < length ? 0 : ((bytes[end - length] ?? 0) * highest) % PRIME;
    so = ((so - leaving + PRIME) * base + (bytes[end] ?? 0)) % PRIME;
    if (!sums.has(so) || end + 1 < length) continue;
    const found = digestOf(bytes.subarray(end + 1 - length, end + 1), salt);
    if (digests.some((digest) => timingSafeEqual(found, digest))) yield end + 1 - length;
  }
}

const baseOf = (salt: Buffer): number => 257 + (salt.readUInt32BE(0) % (PRIME - 514));

const digestOf = (bytes: Uint8Array, salt: Buffer): Buffer => createHmac("sha256", salt).update(bytes).digest();
