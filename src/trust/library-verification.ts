import type { Config, Key, SignaturePacket as LibrarySignature, PublicKey, Subkey } from "openpgp";
import * as openpgp from "openpgp";
import type { RingKey } from "./key-ring.js";
import { ALGORITHM, isRsa, type PublicKeyPart } from "./public-key.js";
import { SIGNATURE_TYPE, type SignaturePacket } from "./signature-packet.js";
import type { SignatureVerdict } from "./signature-verdict.js";

/** What is weak is judged here, and said to be weak rather than refused as if it were wrong. */
const TOLERANT: Config = {
  ...openpgp.config,
  rejectHashAlgorithms: new Set(),
  rejectMessageHashAlgorithms: new Set(),
  rejectPublicKeyAlgorithms: new Set(),
  rejectCurves: new Set(),
  minRSABits: 0,
};

const WEAK_HASHES: Readonly<Record<number, string>> = { 1: "MD5", 2: "SHA-1", 3: "RIPEMD-160" };

/** Messages of openpgp.js that mean: the mathematics says no. */
const MISMATCH = /Signed digest did not match|Signature verification failed/;

/** The verdict by openpgp.js; several candidates are there only where a signature names its key by a key id that two keys share. */
export async function verifyWithLibrary(
  signature: { packet: SignaturePacket; binary: Buffer },
  payload: Buffer,
  candidates: readonly RingKey[],
  now: Date,
): Promise<SignatureVerdict> {
  let first: SignatureVerdict | undefined;
  for (const candidate of candidates) {
    const verdict = await verifyWith(signature, payload, candidate, now);
    if (verdict.outcome !== "bad") return verdict;
    first ??= verdict;
  }
  return first ?? { outcome: "unknown-key", format: "openpgp" };
}

async function verifyWith(
  { packet, binary }: { packet: SignaturePacket; binary: Buffer },
  payload: Buffer,
  candidate: RingKey,
  now: Date,
): Promise<SignatureVerdict> {
  const [signer] = candidate.userIds;
  const verdict = (outcome: SignatureVerdict["outcome"], reason?: string): SignatureVerdict => ({
    outcome,
    format: "openpgp",
    key: candidate.fingerprint,
    ...(signer !== undefined && { signer }),
    signedAt: packet.created,
    ...(reason !== undefined && { reason }),
  });
  try {
    if (packet.type !== SIGNATURE_TYPE.binary) {
      return verdict("unsupported-format", "it is not a binary signature, so it does not cover the exact bytes");
    }
    const part = signingPart(packet, candidate);
    if (part === undefined) return verdict("bad", "the signature names another key");
    const key = await readCopies(candidate);
    const signingKey = key.getKeys().find((each) => each.getFingerprint().toUpperCase() === part.fingerprint);
    if (signingKey === undefined) return verdict("unsupported-format", "the key is of a kind that is not verified");
    const broken = await whyNotBy(signingKey, binary, payload, packet.created);
    if (broken !== undefined) return verdict(broken.outcome, broken.reason);
    return await judgeKey(key, signingKey, packet, part, now, verdict);
  } catch (cause) {
    return verdict("unsupported-format", reasonOf(cause));
  }
}

/** Weakness goes before expiry: neither is good, and the weaker signature may be forged, then or now. */
async function judgeKey(
  key: PublicKey,
  signingKey: Key | Subkey,
  packet: SignaturePacket,
  part: PublicKeyPart,
  now: Date,
  verdict: (outcome: SignatureVerdict["outcome"], reason?: string) => SignatureVerdict,
): Promise<SignatureVerdict> {
  if (await isRevoked(key, signingKey)) return verdict("revoked-key", "the key was revoked");
  if (part.created > packet.created) return verdict("bad", "the signature is older than its key");
  const unusable = await whyNotForSigning(key, signingKey, packet.created);
  const end = await endOf(key, signingKey, packet.created);
  if (packet.created >= end) return verdict("expired", "the key had expired before the signature was made");
  if (unusable !== undefined) return verdict("bad", unusable);
  const weakness = weaknessOf(packet, part);
  if (weakness !== undefined) return verdict("weak", weakness);
  if (packet.expires && packet.expires <= now) return verdict("expired", "the signature itself has expired");
  if (end <= now) return verdict("expired-key-valid-then", "the key expired after the signature was made");
  const until = Math.min(end.getTime(), packet.expires?.getTime() ?? LAST);
  return { ...verdict("good"), ...(until < LAST && { validUntil: new Date(until) }) };
}

function signingPart(packet: SignaturePacket, candidate: RingKey): PublicKeyPart | undefined {
  return [candidate.block.primary, ...candidate.block.subkeys].find((part) =>
    packet.issuerFingerprint === undefined
      ? part.keyId === packet.issuerKeyId
      : part.fingerprint === packet.issuerFingerprint,
  );
}

/** All that the copies say together, so that a copy without the revocation hides nothing. */
async function readCopies({ copies }: RingKey): Promise<PublicKey> {
  const [first, ...others] = await Promise.all(
    copies.map((binaryKey) => openpgp.readKey({ binaryKey, config: TOLERANT })),
  );
  if (first === undefined) throw new Error("the key is empty");
  let key = first;
  for (const other of others) key = await key.update(other, EVER, TOLERANT);
  return key;
}

/** openpgp.js takes null for "whatever the time", which its types leave out. */
const EVER = null as unknown as Date;

async function whyNotBy(
  signingKey: Key | Subkey,
  binarySignature: Buffer,
  payload: Buffer,
  at: Date,
): Promise<{ outcome: "bad" | "unsupported-format"; reason: string } | undefined> {
  const { packets } = await openpgp.readSignature({ binarySignature, config: TOLERANT });
  const signature = packets[0] as LibrarySignature | undefined;
  if (packets.length !== 1 || !(signature instanceof openpgp.SignaturePacket)) {
    return { outcome: "unsupported-format", reason: "the signature is of a kind that is not verified" };
  }
  const message = await openpgp.createMessage({ binary: payload });
  const [literal] = message.packets;
  try {
    // At its own time it is neither from the future nor expired; both are asked later.
    await signature.verify(signingKey.keyPacket, openpgp.enums.signature.binary, literal ?? {}, at, true, TOLERANT);
    return undefined;
  } catch (cause) {
    const reason = reasonOf(cause);
    return MISMATCH.test(reason)
      ? { outcome: "bad", reason: "the signature does not match what it signs" }
      : { outcome: /critical/i.test(reason) ? "bad" : "unsupported-format", reason };
  }
}

async function isRevoked(key: PublicKey, signingKey: Key | Subkey): Promise<boolean> {
  if (await key.isRevoked(undefined, undefined, EVER, TOLERANT)) return true;
  if (!("mainKey" in signingKey)) return false;
  const [binding] = signingKey.bindingSignatures;
  return binding !== undefined && (await signingKey.isRevoked(binding, key.keyPacket, EVER, TOLERANT));
}

/** When the key ended or will end: the earlier of primary key's and subkey's; a date far away where neither does. */
async function endOf(key: PublicKey, signingKey: Key | Subkey, at: Date): Promise<Date> {
  const ends = [await key.getExpirationTime(undefined, TOLERANT)];
  if ("mainKey" in signingKey) ends.push(await signingKey.getExpirationTime(at, TOLERANT));
  const times = ends.map((end) => (end instanceof Date ? end.getTime() : LAST));
  return new Date(Math.min(...times));
}

const LAST = 8.64e15;

/**
 * Whether the key was one to sign with at `at`; if its self-signature was renewed since (then `at` is before it), at the time
 * of that one, as gpg has it.
 */
async function whyNotForSigning(key: PublicKey, signingKey: Key | Subkey, at: Date): Promise<string | undefined> {
  const renewed = await key.getPrimaryUser(EVER, undefined, TOLERANT).then(
    ({ selfCertification }) => (selfCertification as LibrarySignature).created ?? at,
    () => at,
  );
  let reason: string | undefined;
  for (const date of [at, renewed > at ? renewed : at]) {
    try {
      const found = await key.getSigningKey(signingKey.getKeyID(), date, undefined, TOLERANT);
      if (found.getFingerprint() === signingKey.getFingerprint()) return undefined;
      reason = "the key is not one to sign with";
    } catch (cause) {
      reason = reasonOf(cause);
    }
  }
  return reason;
}

function weaknessOf(packet: SignaturePacket, part: PublicKeyPart): string | undefined {
  const hash = WEAK_HASHES[packet.hashAlgorithm];
  if (hash !== undefined) return `its digest is ${hash}`;
  if (part.algorithm === ALGORITHM.dsa) return "it is by a DSA key";
  if (isRsa(part.algorithm) && part.bits < 2048) return `it is by an RSA key of ${part.bits} bits`;
  return undefined;
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/^Error: /, "").replace(/\.$/, "");
