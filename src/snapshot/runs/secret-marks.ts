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
const SHORTEST = 8;
/** The largest prime below 2^16, so that products stay exact. */
const PRIME = 65_521;

/** Undefined for what is too short to be marked. */
export function markSecret(value: string, salt: Buffer = randomBytes(32)): SecretMark | undefined {
  const bytes = Buffer.from(value);
  if (bytes.length < SHORTEST) return undefined;
  const sum = bytes.reduce((so, byte) => (so * baseOf(salt) + byte) % PRIME, 0);
  return { length: bytes.length, salt: salt.toString("hex"), digest: digestOf(bytes, salt).toString("hex"), sum };
}

/** Whether the value stands anywhere in `bytes`: a polynomial sum rolls over them (Rabin and Karp), a digest decides. */
export function holdsMarked(bytes: Buffer, { length, salt: hex, digest, sum }: SecretMark): boolean {
  const salt = Buffer.from(hex, "hex");
  const wanted = Buffer.from(digest, "hex");
  const base = baseOf(salt);
  let highest = 1;
  for (let place = 1; place < length; place++) highest = (highest * base) % PRIME;
  let so = 0;
  for (let end = 0; end < bytes.length; end++) {
    const leaving = end < length ? 0 : ((bytes[end - length] ?? 0) * highest) % PRIME;
    so = ((so - leaving + PRIME) * base + (bytes[end] ?? 0)) % PRIME;
    if (so !== sum || end + 1 < length) continue;
    if (timingSafeEqual(digestOf(bytes.subarray(end + 1 - length, end + 1), salt), wanted)) return true;
  }
  return false;
}

const baseOf = (salt: Buffer): number => 257 + (salt.readUInt32BE(0) % (PRIME - 514));

const digestOf = (bytes: Uint8Array, salt: Buffer): Buffer => createHmac("sha256", salt).update(bytes).digest();
