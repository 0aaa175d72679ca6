import { createHash, type KeyObject, verify } from "node:crypto";
import { MalformedError, readMpi } from "./packet.js";
import { ALGORITHM } from "./public-key.js";
import type { SignaturePacket } from "./signature-packet.js";

/** Hash ids of RFC 4880, section 9.4, that are strong enough for Ed25519. */
const HASHES: Readonly<Record<number, string>> = { 8: "sha256", 9: "sha384", 10: "sha512" };

/** What version 4 signatures hash behind everything else: how long the signed part of the packet is. */
export function trailerOf(signedPart: Buffer): Buffer {
  const trailer = Buffer.from([4, 0xff, 0, 0, 0, 0]);
  trailer.writeUInt32BE(signedPart.length, 2);
  return trailer;
}

/**
 * Whether `packet` is a signature by `key` over `payload`; undefined where it is of a kind that is not understood here.
 * Only the mathematics: neither who made it nor when is asked.
 */
export function verifyEd25519(
  packet: SignaturePacket,
  payload: readonly Buffer[],
  key: KeyObject,
): boolean | undefined {
  const question = questionOf(packet, payload);
  return typeof question === "object" ? verify(null, question.digest, key, question.signature) : question;
}

/** The same on a thread of Node's pool, so that a second core does the mathematics while this one reads on. */
export async function verifyEd25519Aside(
  packet: SignaturePacket,
  payload: readonly Buffer[],
  key: KeyObject,
): Promise<boolean | undefined> {
  const question = questionOf(packet, payload);
  if (typeof question !== "object") return question;
  return new Promise((resolve, reject) => {
    verify(null, question.digest, key, question.signature, (failure, good) => {
      if (failure) reject(failure);
      else resolve(good);
    });
  });
}

/** What is left to ask of the curve; a verdict where nothing is. */
function questionOf(
  packet: SignaturePacket,
  payload: readonly Buffer[],
): { readonly digest: Buffer; readonly signature: Buffer } | false | undefined {
  const algorithm = HASHES[packet.hashAlgorithm];
  if (packet.keyAlgorithm !== ALGORITHM.eddsaLegacy || algorithm === undefined) return undefined;
  const signature = rawSignature(packet.material);
  if (signature === undefined) return undefined;
  const hash = createHash(algorithm);
  for (const part of payload) hash.update(part);
  const digest = hash.update(packet.signedPart).update(trailerOf(packet.signedPart)).digest();
  if (digest[0] !== packet.digestStart[0] || digest[1] !== packet.digestStart[1]) return false;
  return { digest, signature };
}

/** R and S as 64 bytes; undefined where the two numbers are not written in their one shortest form. */
function rawSignature(material: Buffer): Buffer | undefined {
  try {
    const r = readMpi(material, 0);
    const s = readMpi(material, r.next);
    if (!r.exact || !s.exact || s.next !== material.length) return undefined;
    if (r.value.length > 32 || s.value.length > 32) return undefined;
    const raw = Buffer.alloc(64);
    r.value.copy(raw, 32 - r.value.length);
    s.value.copy(raw, 64 - s.value.length);
    return raw;
  } catch (cause) {
    if (cause instanceof MalformedError) return undefined;
    throw cause;
  }
}
