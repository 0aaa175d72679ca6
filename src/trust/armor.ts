import { MalformedError } from "./packet.js";

export interface Armor {
  readonly label: string;
  readonly bytes: Buffer;
  /** True where the optional CRC-24 was there; a wrong one is malformed. */
  readonly checksummed: boolean;
}

const STRICT =
  /^-----BEGIN ([A-Z ]+)-----\n\n((?:[A-Za-z0-9+/]{1,76}\n)*[A-Za-z0-9+/]{1,76}={0,2})\n(?:=([A-Za-z0-9+/]{4})\n)?-----END \1-----\n?$/;

const FOREIGN =
  /^-----BEGIN ([A-Z ]+)-----[ \t]*\n((?:[A-Za-z]+: [^\n]*\n)*)[ \t]*\n((?:[A-Za-z0-9+/]+={0,2}[ \t]*\n)+)(?:=([A-Za-z0-9+/]{4})[ \t]*\n)?-----END \1-----\s*$/;

/** Longer armor holds neither a signature nor a key that anybody makes; refusing it bounds the work. */
const LONGEST = 1 << 20;

/**
 * One armor block and nothing else (RFC 4880, section 6.2). `strict` is the form that we write: LF, no headers, nothing behind
 * the last line; `foreign` takes headers, CRLF and blanks at line ends too. Throws MalformedError.
 */
export function readArmor(text: string, form: "strict" | "foreign"): Armor {
  if (text.length > LONGEST) throw new MalformedError("the armor is too long");
  if (form === "strict") {
    const match = STRICT.exec(text);
    if (!match) throw new MalformedError(whyNotStrict(text));
    return decode(match[1] ?? "", match[2] ?? "", match[3]);
  }
  const match = FOREIGN.exec(text.replaceAll("\r\n", "\n"));
  if (!match) throw new MalformedError("the armor is damaged, or something stands behind it");
  return decode(match[1] ?? "", match[3] ?? "", match[4]);
}

function whyNotStrict(text: string): string {
  if (text.includes("\r")) return "the armor has CRLF line ends";
  if (/^-----BEGIN [A-Z ]+-----\n[A-Za-z]+:/.test(text)) return "the armor has headers";
  if (/-----END [A-Z ]+-----(?!\n?$)/.test(text)) return "something stands behind the signature";
  return "the armor is damaged";
}

function decode(label: string, lines: string, checksum: string | undefined): Armor {
  const base64 = lines.replace(/[ \t\n]/g, "");
  const bytes = Buffer.from(base64, "base64");
  // Buffer.from skips what it does not understand, so only a text that it would write itself is taken.
  if (bytes.toString("base64") !== base64) throw new MalformedError("the armor's base64 is damaged");
  if (checksum !== undefined && crc24(bytes) !== Buffer.from(checksum, "base64").readUIntBE(0, 3)) {
    throw new MalformedError("the armor's checksum does not match");
  }
  return { label, bytes, checksummed: checksum !== undefined };
}

/** One block with LF, no headers and a checksum, which gpg before 2.2.42 needs where base64 ends without padding. */
export function formatArmor(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  const checksum = Buffer.alloc(3);
  checksum.writeUIntBE(crc24(bytes), 0, 3);
  return [
    `-----BEGIN ${label}-----`,
    "",
    ...lines,
    `=${checksum.toString("base64")}`,
    `-----END ${label}-----`,
    "",
  ].join("\n");
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 16;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x800000 ? 0x1864cfb : 0);
  return crc & 0xffffff;
});

/** RFC 4880, section 6.1. */
function crc24(bytes: Buffer): number {
  let crc = 0xb704ce;
  for (const byte of bytes) crc = ((crc << 8) ^ (CRC_TABLE[((crc >> 16) ^ byte) & 255] ?? 0)) & 0xffffff;
  return crc;
}
