import type { KeyObject } from "node:crypto";
import { verifyEd25519 } from "./ed25519-signature.js";
import type { KeyBlock } from "./key-block.js";
import { MalformedError, type Packet, TAG, UnsupportedError } from "./packet.js";
import {
  ed25519KeyObject,
  ed25519Point,
  isCurve25519,
  keyForHash,
  type PublicKeyPart,
  readPublicKeyPart,
} from "./public-key.js";
import { readSignaturePacket, type SignaturePacket, SUBPACKET } from "./signature-packet.js";

/** A key that node:crypto alone can verify with. */
export interface SimpleKey {
  readonly point: KeyObject;
  /** Of the self-signature: earlier signatures are left to openpgp.js. */
  readonly validFrom: Date;
}

/** Subpackets of a self-signature that do not bear on whether the key may sign. */
const INDIFFERENT = new Set([11, 21, 22, 23, 25, 30, 34, 39]);

const KEY_FLAGS = 27;
const MAY_SIGN = 0x02;
/** Communications and storage. */
const MAY_ENCRYPT = 0x0c;

/**
 * The key where it is of the one simple form that our own generator makes: Ed25519 (legacy), one user id, one self-signature
 * that lets it sign and sets no end, and at most one Curve25519 subkey that only takes encrypted messages; checked. Undefined
 * for every other, also for a better one: openpgp.js reads those.
 */
export function simpleKeyOf(block: KeyBlock): SimpleKey | undefined {
  const [primary, userId, selfSignature, ...more] = block.packets;
  if (primary === undefined || userId?.tag !== TAG.userId || selfSignature?.tag !== TAG.signature) return undefined;
  if (!isUtf8(userId.body)) return undefined;
  const point = ed25519Point(block.primary);
  const packet = tryRead(selfSignature);
  if (point === undefined || packet === undefined || !isPlainSelfSignature(packet, block.primary)) return undefined;
  try {
    const key = ed25519KeyObject(point);
    const hashed = [keyForHash(block.primary.body), userIdForHash(userId.body)];
    if (verifyEd25519(packet, hashed, key) !== true) return undefined;
    if (more.length > 0 && !isEncryptionSubkey(more, block.primary, key)) return undefined;
    return { point: key, validFrom: packet.created };
  } catch {
    // Bytes that are no point of the curve.
    return undefined;
  }
}

const isPlainSelfSignature = (packet: SignaturePacket, key: PublicKeyPart): boolean =>
  packet.type >= 0x10 && packet.type <= 0x13 && isPlainlyBy(packet, key) && (flagsOf(packet) & MAY_SIGN) !== 0;

const SUBKEY_BINDING = 0x18;

/** Whether the packets are a Curve25519 subkey and the primary key's own word that it is to be encrypted to, and no more. */
function isEncryptionSubkey(packets: readonly Packet[], primary: PublicKeyPart, key: KeyObject): boolean {
  const [subkey, binding, ...more] = packets;
  if (subkey?.tag !== TAG.publicSubkey && subkey?.tag !== TAG.secretSubkey) return false;
  if (binding?.tag !== TAG.signature || more.length > 0) return false;
  const part = readPublicKeyPart(subkey.body);
  const packet = tryRead(binding);
  if (packet?.type !== SUBKEY_BINDING || !isCurve25519(part) || !isPlainlyBy(packet, primary)) return false;
  if (flagsOf(packet) === 0 || (flagsOf(packet) & ~MAY_ENCRYPT) !== 0) return false;
  return verifyEd25519(packet, [keyForHash(primary.body), keyForHash(part.body)], key) === true;
}

const flagsOf = (packet: SignaturePacket): number => packet.hashed.find(({ type }) => type === KEY_FLAGS)?.body[0] ?? 0;

/** Whether a signature by `key` says nothing that needs a closer look, such as when it ends. */
function isPlainlyBy(packet: SignaturePacket, key: PublicKeyPart): boolean {
  const known = [SUBPACKET.created, SUBPACKET.issuerKeyId, SUBPACKET.issuerFingerprint, KEY_FLAGS];
  const types = packet.hashed.map(({ type }) => type);
  return (
    packet.hashed.every(({ type, critical }) => known.includes(type) || (INDIFFERENT.has(type) && !critical)) &&
    new Set(types).size === types.length &&
    packet.unhashed.every(({ type }) => type === SUBPACKET.issuerKeyId) &&
    packet.issuerKeyId === key.keyId &&
    (packet.issuerFingerprint ?? key.fingerprint) === key.fingerprint &&
    packet.created >= key.created
  );
}

/** RFC 4880, section 5.2.4. */
function userIdForHash(userId: Buffer): Buffer {
  const head = Buffer.from([0xb4, 0, 0, 0, 0]);
  head.writeUInt32BE(userId.length, 1);
  return Buffer.concat([head, userId]);
}

function tryRead(packet: Packet): SignaturePacket | undefined {
  try {
    return readSignaturePacket(packet);
  } catch (cause) {
    if (cause instanceof MalformedError || cause instanceof UnsupportedError) return undefined;
    throw cause;
  }
}

const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString("utf8")).equals(bytes);
