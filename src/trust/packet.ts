/** Bytes that are no well-formed OpenPGP; the message says why. Readers turn it into a value or a KaiError. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

/** Well-formed OpenPGP of a kind that is not read here; the message says which. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
  /** Header and body, as they were read. */
  readonly raw: Buffer;
}

export const TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
} as const;

/** The packets that `bytes` consist of, to the last byte (RFC 4880, section 4.2). Throws MalformedError. */
export function splitPackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const { tag, start, length } = readHeader(bytes, offset);
    const end = start + length;
    if (end > bytes.length) throw new MalformedError("a packet is cut short");
    packets.push({ tag, body: bytes.subarray(start, end), raw: bytes.subarray(offset, end) });
    offset = end;
  }
  return packets;
}

function readHeader(bytes: Buffer, offset: number): { tag: number; start: number; length: number } {
  const first = byteAt(bytes, offset);
  if ((first & 0x80) === 0) throw new MalformedError("this is no OpenPGP packet");
  if ((first & 0x40) === 0) {
    const size = 1 << (first & 3);
    if (size === 8) throw new MalformedError("a packet has no length");
    if (offset + 1 + size > bytes.length) throw new MalformedError("a packet is cut short");
    return { tag: (first >> 2) & 15, start: offset + 1 + size, length: bytes.readUIntBE(offset + 1, size) };
  }
  const { length, next } = readLength(bytes, offset + 1);
  return { tag: first & 63, start: next, length };
}

/** A packet's or subpacket's length of one, two or five bytes; partial lengths are refused, as both kinds of key forbid them. */
function readLength(bytes: Buffer, offset: number): { length: number; next: number } {
  const first = byteAt(bytes, offset);
  if (first < 192) return { length: first, next: offset + 1 };
  if (first < 224) return { length: ((first - 192) << 8) + byteAt(bytes, offset + 1) + 192, next: offset + 2 };
  if (first < 255) throw new MalformedError("a packet comes in parts");
  if (offset + 5 > bytes.length) throw new MalformedError("a length is cut short");
  return { length: bytes.readUInt32BE(offset + 1), next: offset + 5 };
}

/** A subpacket's length (RFC 4880, section 5.2.3.1): there, 224 to 254 are lengths of two bytes too. */
export function readSubpacketLength(bytes: Buffer, offset: number): { length: number; next: number } {
  const first = byteAt(bytes, offset);
  if (first >= 224 && first < 255) {
    return { length: ((first - 192) << 8) + byteAt(bytes, offset + 1) + 192, next: offset + 2 };
  }
  return readLength(bytes, offset);
}

export function byteAt(bytes: Buffer, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new MalformedError("the data end too early");
  return byte;
}

/** A packet with a header of the new format. */
export function packet(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0 | tag]), lengthOf(body.length), body]);
}

export function lengthOf(length: number): Buffer {
  if (length < 192) return Buffer.from([length]);
  if (length < 8384) return Buffer.from([((length - 192) >> 8) + 192, (length - 192) & 255]);
  const long = Buffer.alloc(5, 255);
  long.writeUInt32BE(length, 1);
  return long;
}

/** The multiprecision integer at `offset`, without its two bytes of length. `exact` says that no bit of it is idle. */
export function readMpi(bytes: Buffer, offset: number): { value: Buffer; next: number; exact: boolean } {
  if (offset + 2 > bytes.length) throw new MalformedError("a number is cut short");
  const bits = bytes.readUInt16BE(offset);
  const next = offset + 2 + ((bits + 7) >> 3);
  if (next > bytes.length) throw new MalformedError("a number is cut short");
  const value = bytes.subarray(offset + 2, next);
  return { value, next, exact: bits > 0 && bitLength(value) === bits };
}

/** A big-endian number as multiprecision integer; leading zero bytes go. */
export function mpi(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.alloc(0) : value.subarray(start);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(digits.length === 0 ? 0 : bitLength(digits));
  return Buffer.concat([length, digits]);
}

const bitLength = (value: Buffer): number => (value.length - 1) * 8 + (32 - Math.clz32(value[0] ?? 0));
