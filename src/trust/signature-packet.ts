import { readArmor } from "./armor.js";
import {
  byteAt,
  MalformedError,
  type Packet,
  readMpi,
  readSubpacketLength,
  splitPackets,
  TAG,
  UnsupportedError,
} from "./packet.js";
import { ALGORITHM } from "./public-key.js";

export type SignatureFormat = "openpgp" | "ssh" | "x509" | "unknown";

export const SIGNATURE_TYPE = { binary: 0x00, text: 0x01 } as const;

export const SUBPACKET = {
  created: 2,
  expiration: 3,
  issuerKeyId: 16,
  issuerFingerprint: 33,
} as const;

interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Buffer;
}

/** A version 4 signature (RFC 4880, section 5.2.3), as far as it can be read without knowing the algorithm. */
export interface SignaturePacket {
  readonly type: number;
  readonly keyAlgorithm: number;
  readonly hashAlgorithm: number;
  readonly hashed: readonly Subpacket[];
  readonly unhashed: readonly Subpacket[];
  readonly created: Date;
  /** When the signature itself ends, if it does. */
  readonly expires: Date | undefined;
  /** UPPER hex; of the key or subkey that signed. */
  readonly issuerFingerprint: string | undefined;
  /** UPPER hex, 16 digits. */
  readonly issuerKeyId: string | undefined;
  /** What is hashed behind the payload, without the trailer. */
  readonly signedPart: Buffer;
  /** The first two bytes of the digest. */
  readonly digestStart: Buffer;
  /** The algorithm's own numbers. */
  readonly material: Buffer;
}

export type SignatureReading =
  | { readonly ok: true; readonly packet: SignaturePacket; readonly binary: Buffer; readonly checksummed: boolean }
  | { readonly ok: false; readonly kind: "malformed" | "unsupported"; readonly reason: string };

/** What kind of signature the bytes that git keeps behind a payload are, by their first line. */
export function detectSignatureFormat(bytes: Buffer): SignatureFormat {
  const start = bytes.toString("latin1", 0, 40);
  if (start.startsWith("-----BEGIN PGP SIGNATURE-----") || start.startsWith("-----BEGIN PGP MESSAGE-----")) {
    return "openpgp";
  }
  if (start.startsWith("-----BEGIN SSH SIGNATURE-----")) return "ssh";
  if (start.startsWith("-----BEGIN SIGNED MESSAGE-----")) return "x509";
  return "unknown";
}

/**
 * Reads an armored detached signature, of which there must be exactly one. `strict` takes only what our own signer and gpg
 * write with Ed25519: a binary signature in plain armor, nothing in the unhashed area but the issuer. Never throws.
 */
export function readSignature(bytes: Buffer, form: "strict" | "foreign"): SignatureReading {
  try {
    const armor = readArmor(bytes.toString("latin1"), form);
    if (armor.label !== "PGP SIGNATURE") throw new UnsupportedError("it is not a detached signature");
    const packets = splitPackets(armor.bytes);
    const [first] = packets;
    if (first === undefined || packets.length > 1) throw new MalformedError("there is not exactly one signature");
    if (first.tag !== TAG.signature) throw new MalformedError("the armor holds something else");
    const packet = readSignaturePacket(first);
    if (form === "strict") requireStrict(packet);
    return { ok: true, packet, binary: armor.bytes, checksummed: armor.checksummed };
  } catch (cause) {
    if (cause instanceof MalformedError) return { ok: false, kind: "malformed", reason: cause.message };
    if (cause instanceof UnsupportedError) return { ok: false, kind: "unsupported", reason: cause.message };
    throw cause;
  }
}

function requireStrict(packet: SignaturePacket): void {
  if (packet.type !== SIGNATURE_TYPE.binary) throw new UnsupportedError("it is not a binary signature");
  if (packet.unhashed.some(({ type }) => type !== SUBPACKET.issuerKeyId)) {
    throw new MalformedError("the part that nobody signed holds more than the issuer");
  }
  if (packet.keyAlgorithm !== ALGORITHM.eddsaLegacy) throw new UnsupportedError("it is not an Ed25519 signature");
  const r = readMpi(packet.material, 0);
  const s = readMpi(packet.material, r.next);
  // Readers are lax about a number's count of bits, so the same signature could be written in several ways.
  if (!r.exact || !s.exact || s.next !== packet.material.length) throw new MalformedError("its numbers are damaged");
}

/** Throws MalformedError, and UnsupportedError for other versions than 4. */
export function readSignaturePacket({ body }: Packet): SignaturePacket {
  const version = byteAt(body, 0);
  if (version !== 4) throw new UnsupportedError(`version ${version} of the signature packet is not read`);
  const hashed = readArea(body, 4);
  const unhashed = readArea(body, hashed.end);
  if (unhashed.end + 2 > body.length) throw new MalformedError("the signature is cut short");
  const created = dateOf(hashed.subpackets, SUBPACKET.created);
  if (created === undefined) throw new MalformedError("the signature does not say when it was made");
  const lifetime = numberOf(hashed.subpackets, SUBPACKET.expiration);
  return {
    type: byteAt(body, 1),
    keyAlgorithm: byteAt(body, 2),
    hashAlgorithm: byteAt(body, 3),
    hashed: hashed.subpackets,
    unhashed: unhashed.subpackets,
    created,
    expires: lifetime ? new Date(created.getTime() + lifetime * 1000) : undefined,
    ...issuerOf([...hashed.subpackets, ...unhashed.subpackets]),
    signedPart: body.subarray(0, hashed.end),
    digestStart: body.subarray(unhashed.end, unhashed.end + 2),
    material: body.subarray(unhashed.end + 2),
  };
}

function readArea(body: Buffer, offset: number): { subpackets: Subpacket[]; end: number } {
  if (offset + 2 > body.length) throw new MalformedError("the signature is cut short");
  const end = offset + 2 + body.readUInt16BE(offset);
  if (end > body.length) throw new MalformedError("the signature is cut short");
  const subpackets: Subpacket[] = [];
  let position = offset + 2;
  while (position < end) {
    const { length, next } = readSubpacketLength(body, position);
    if (length === 0 || next + length > end) throw new MalformedError("a subpacket is damaged");
    const type = byteAt(body, next);
    subpackets.push({ type: type & 0x7f, critical: type > 0x7f, body: body.subarray(next + 1, next + length) });
    position = next + length;
  }
  return { subpackets, end };
}

function issuerOf(subpackets: readonly Subpacket[]): Pick<SignaturePacket, "issuerFingerprint" | "issuerKeyId"> {
  const fingerprint = only(subpackets, SUBPACKET.issuerFingerprint);
  if (fingerprint && byteAt(fingerprint, 0) !== 4) throw new UnsupportedError("it is not by a version 4 key");
  if (fingerprint && fingerprint.length !== 21) throw new MalformedError("the issuer's fingerprint is damaged");
  const keyId = only(subpackets, SUBPACKET.issuerKeyId);
  if (keyId && keyId.length !== 8) throw new MalformedError("the issuer's key id is damaged");
  if (fingerprint && keyId && !fingerprint.subarray(-8).equals(keyId)) {
    throw new MalformedError("the signature names two issuers");
  }
  const issuerFingerprint = fingerprint?.toString("hex", 1).toUpperCase();
  return { issuerFingerprint, issuerKeyId: keyId?.toString("hex").toUpperCase() ?? issuerFingerprint?.slice(-16) };
}

const dateOf = (subpackets: readonly Subpacket[], type: number): Date | undefined => {
  const seconds = numberOf(subpackets, type);
  return seconds === undefined ? undefined : new Date(seconds * 1000);
};

function numberOf(subpackets: readonly Subpacket[], type: number): number | undefined {
  const body = only(subpackets, type);
  if (body && body.length !== 4) throw new MalformedError("a time is damaged");
  return body?.readUInt32BE(0);
}

// Readers differ on whether the first or the last of two counts, so two are refused.
function only(subpackets: readonly Subpacket[], type: number): Buffer | undefined {
  const found = subpackets.filter((each) => each.type === type);
  if (found.length > 1) throw new MalformedError("the signature says a thing twice");
  return found[0]?.body;
}
