import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { byteAt, MalformedError, packet, readMpi, TAG } from "./packet.js";

export const ALGORITHM = { dsa: 17, ecdh: 18, eddsaLegacy: 22 } as const;

export const isRsa = (algorithm: number): boolean => algorithm >= 1 && algorithm <= 3;

/** What a version 4 key packet says of itself; of a secret one its public half. */
export interface PublicKeyPart {
  /** UPPER hex, 40 digits. */
  readonly fingerprint: string;
  /** UPPER hex, 16 digits. */
  readonly keyId: string;
  readonly created: Date;
  readonly algorithm: number;
  /** Bits of the first number: an RSA modulus, a DSA prime. */
  readonly bits: number;
  /** The public packet's body. */
  readonly body: Buffer;
}

/** 1.3.6.1.4.1.11591.15.1, the curve of "EdDSA legacy", with its length in front. */
const ED25519_OID = Buffer.from("092b06010401da470f01", "hex");

/** 1.3.6.1.4.1.3029.1.5.1, Curve25519 of the legacy kind, with its length in front. */
const CURVE25519_OID = Buffer.from("0a2b060104019755010501", "hex");

const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Longer key material than RSA of 16384 bits has is refused: computing with it would take for ever. */
const LONGEST = 2200;

/** Reads a key packet's body, of a secret key only up to where the secret begins. Throws MalformedError. */
export function readPublicKeyPart(body: Buffer): PublicKeyPart {
  const version = byteAt(body, 0);
  if (version !== 4) throw new MalformedError(`version ${version} of the key packet is not read`);
  if (body.length < 6) throw new MalformedError("the key is cut short");
  const algorithm = byteAt(body, 5);
  const end = endOfParameters(body, algorithm);
  if (end > body.length) throw new MalformedError("the key is cut short");
  if (end > LONGEST) throw new MalformedError("the key is too long");
  const part = body.subarray(0, end);
  const fingerprint = createHash("sha1").update(keyForHash(part)).digest("hex").toUpperCase();
  return {
    fingerprint,
    keyId: fingerprint.slice(-16),
    created: new Date(body.readUInt32BE(1) * 1000),
    algorithm,
    bits: isRsa(algorithm) || algorithm === ALGORITHM.dsa ? body.readUInt16BE(6) : 0,
    body: part,
  };
}

function endOfParameters(body: Buffer, algorithm: number): number {
  if (isRsa(algorithm)) return skipMpis(body, 6, 2);
  if (algorithm === ALGORITHM.dsa) return skipMpis(body, 6, 4);
  if (algorithm === 16) return skipMpis(body, 6, 3);
  if (algorithm === 19 || algorithm === ALGORITHM.eddsaLegacy) return skipMpis(body, 7 + byteAt(body, 6), 1);
  if (algorithm === ALGORITHM.ecdh) {
    const parameters = skipMpis(body, 7 + byteAt(body, 6), 1);
    return parameters + 1 + byteAt(body, parameters);
  }
  const fixed = { 25: 32, 26: 56, 27: 32, 28: 57 }[algorithm];
  if (fixed === undefined) throw new MalformedError(`public-key algorithm ${algorithm} is not known`);
  return 6 + fixed;
}

function skipMpis(body: Buffer, offset: number, count: number): number {
  let position = offset;
  for (let index = 0; index < count; index++) position = readMpi(body, position).next;
  return position;
}

/** The form in which a version 4 key is hashed for its fingerprint and its self-signatures (RFC 4880, section 5.2.4). */
export function keyForHash(part: Buffer): Buffer {
  const head = Buffer.from([0x99, 0, 0]);
  head.writeUInt16BE(part.length, 1);
  return Buffer.concat([head, part]);
}

/** The 32 bytes of an Ed25519 key of the legacy kind; undefined for every other key. */
export function ed25519Point({ algorithm, body }: PublicKeyPart): Buffer | undefined {
  if (algorithm !== ALGORITHM.eddsaLegacy || body.length !== 51) return undefined;
  if (!body.subarray(6, 16).equals(ED25519_OID)) return undefined;
  const { value, exact } = readMpi(body, 16);
  return exact && value.length === 33 && value[0] === 0x40 ? value.subarray(1) : undefined;
}

/** Whether it is a key of the legacy kind to agree on secrets with, which takes encrypted messages and signs nothing. */
export function isCurve25519({ algorithm, body }: PublicKeyPart): boolean {
  if (algorithm !== ALGORITHM.ecdh || body.length !== 56) return false;
  if (!body.subarray(6, 17).equals(CURVE25519_OID)) return false;
  const { value, exact } = readMpi(body, 17);
  return exact && value.length === 33 && value[0] === 0x40;
}

export const ed25519KeyObject = (point: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, point]), format: "der", type: "spki" });

/** The public packet of a key or subkey. */
export const publicPacketOf = (part: PublicKeyPart, subkey: boolean): Buffer =>
  packet(subkey ? TAG.publicSubkey : TAG.publicKey, part.body);
