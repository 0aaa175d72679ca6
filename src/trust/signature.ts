import { verifyEd25519Aside } from "./ed25519-signature.js";
import type { KeyRing, RingKey } from "./key-ring.js";
import { detectSignatureFormat, readSignature, type SignaturePacket, SUBPACKET } from "./signature-packet.js";
import type { SignatureVerdict } from "./signature-verdict.js";

export { createKeyRing, type KeyRing } from "./key-ring.js";
export type { SignatureOutcome, SignatureVerdict } from "./signature-verdict.js";

export interface VerificationRequest {
  /** The very bytes that were signed. */
  payload: Buffer;
  /** What git keeps behind or beside them; empty where there is none. */
  signature: Buffer;
  keys: KeyRing;
  /** True for what git kai-version itself writes: only the one form of section 2 of the design is taken. */
  strict: boolean;
  /** For the end of keys and signatures; default: the clock. A signature from the future is not refused, as gpg does not. */
  now?: Date;
}

/** Judges a signature. Never throws, whatever the bytes are: each case is an outcome with its reason. */
export async function verifySignature(request: VerificationRequest): Promise<SignatureVerdict> {
  const { payload, signature, keys, strict } = request;
  const fast = await verifyFast(payload, signature, keys);
  if (fast) return fast;
  if (signature.length === 0) return { outcome: "unsigned", format: "none" };
  const format = detectSignatureFormat(signature);
  if (format !== "openpgp") return { outcome: "unsupported-format", format, reason: UNSUPPORTED[format] };
  const reading = readSignature(signature, strict ? "strict" : "foreign");
  if (!reading.ok) {
    const outcome = reading.kind === "unsupported" ? "unsupported-format" : "bad";
    return { outcome, format, reason: reading.reason };
  }
  const { packet } = reading;
  const candidates = candidatesFor(packet, keys);
  if (candidates.length === 0) {
    const key = packet.issuerFingerprint ?? packet.issuerKeyId;
    const reason = key === undefined ? "it does not name its key" : "nobody here knows the key";
    return { outcome: "unknown-key", format, ...(key !== undefined && { key }), signedAt: packet.created, reason };
  }
  const { verifyWithLibrary } = await import("./library-verification.js");
  return verifyWithLibrary(reading, payload, candidates, request.now ?? new Date());
}

const UNSUPPORTED = {
  ssh: "SSH signatures are not verified",
  x509: "X.509 signatures are not verified",
  unknown: "it is no signature of a known kind",
} as const;

/**
 * The verdict by node:crypto alone, for the one form that our own signer writes, by a key of the form that our own generator
 * makes; undefined wherever anything else is met, and then `verifySignature` asks openpgp.js.
 */
export async function verifyFast(
  payload: Buffer,
  signature: Buffer,
  keys: KeyRing,
): Promise<SignatureVerdict | undefined> {
  const reading = readSignature(signature, "strict");
  if (!reading.ok || !reading.checksummed) return undefined;
  const { packet } = reading;
  const [key, ...others] = candidatesFor(packet, keys);
  if (key?.simple === undefined || others.length > 0) return undefined;
  if (!isPlain(packet) || packet.issuerFingerprint !== key.fingerprint) return undefined;
  if (packet.created < key.simple.validFrom) return undefined;
  const good = await verifyEd25519Aside(packet, [payload], key.simple.point);
  if (good === undefined) return undefined;
  const verdict = { format: "openpgp", ...signerOf(key), signedAt: packet.created } as const;
  return good
    ? { outcome: "good", ...verdict }
    : { outcome: "bad", ...verdict, reason: "the signature does not match what it signs" };
}

const PLAIN = new Set<number>([SUBPACKET.created, SUBPACKET.issuerKeyId, SUBPACKET.issuerFingerprint]);

const isPlain = (packet: SignaturePacket): boolean => packet.hashed.every(({ type }) => PLAIN.has(type));

const candidatesFor = ({ issuerFingerprint, issuerKeyId }: SignaturePacket, keys: KeyRing): readonly RingKey[] =>
  keys.find(issuerFingerprint ?? issuerKeyId ?? "");

function signerOf(key: RingKey): { key: string; signer?: string } {
  const [signer] = key.userIds;
  return { key: key.fingerprint, ...(signer !== undefined && { signer }) };
}
