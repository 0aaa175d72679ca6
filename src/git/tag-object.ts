import { isUtf8 } from "node:buffer";
import { dateOf, formatSignatureLine, type Identity } from "./signature-line.js";

export interface TagObject {
  readonly object: string;
  readonly type: string;
  readonly name: string;
  readonly tagger: { readonly name: string; readonly email: string; readonly at: Date };
  /** The message without the signature. */
  readonly message: string;
  /** The bytes that were signed: headers and message. */
  readonly payload: Buffer;
  /** The signature as it stands behind the message; undefined where there is none. */
  readonly signature: Buffer | undefined;
}

export interface TagProblem {
  readonly problem: string;
}

const HEADER =
  /^object (?<object>[0-9a-f]{40}|[0-9a-f]{64})\ntype (?<type>blob|tree|commit|tag)\ntag (?<name>[^\n\0]+)\ntagger (?<who>[^<>\n\0]*) ?<(?<email>[^<>\n\0]*)> (?<seconds>[0-9]{1,15}) (?<zone>[+-][0-9]{4})\n\n/;

const SIGNATURE_STARTS = [
  "-----BEGIN PGP SIGNATURE-----",
  "-----BEGIN PGP MESSAGE-----",
  "-----BEGIN SSH SIGNATURE-----",
  "-----BEGIN SIGNED MESSAGE-----",
];

/**
 * Reads the raw bytes of a tag strictly: object, type, tag and tagger once each, in this order, and no other header;
 * UTF-8 without NUL. What git takes for the signature begins at the last line that starts an armour block, as in
 * git's own `parse_signed_buffer`.
 */
export function parseTag(raw: Buffer): TagObject | TagProblem {
  if (raw.includes(0)) return { problem: "it holds a NUL byte" };
  const split = signatureOffset(raw);
  const payload = raw.subarray(0, split);
  if (!isUtf8(payload)) return { problem: "it is not UTF-8" };
  const text = payload.toString("utf8");
  const groups = HEADER.exec(text)?.groups;
  if (!groups) return { problem: "its headers are not object, type, tag and tagger, once each and in this order" };
  const at = dateOf(groups["seconds"]);
  if (at === undefined) return { problem: "its date is beyond what a date can be" };
  return {
    object: groups["object"] ?? "",
    type: groups["type"] ?? "",
    name: groups["name"] ?? "",
    tagger: {
      name: (groups["who"] ?? "").trim(),
      email: groups["email"] ?? "",
      at,
    },
    message: text.slice(text.indexOf("\n\n") + 2),
    payload,
    signature: split < raw.length ? raw.subarray(split) : undefined,
  };
}

function signatureOffset(raw: Buffer): number {
  let offset = raw.length;
  for (const start of SIGNATURE_STARTS) {
    // Behind the headers; the last block counts, since git looks at every line and keeps the last match.
    const found = raw.lastIndexOf(`\n${start}`);
    if (found >= 0 && (offset === raw.length || found + 1 > offset)) offset = found + 1;
  }
  return offset;
}

/** The bytes of a tag before it is signed; the signature is appended as it is. */
export function formatTagPayload(tag: {
  object: string;
  name: string;
  tagger: Identity;
  at: Date;
  message: string;
}): Buffer {
  return Buffer.from(
    `object ${tag.object}\ntype commit\ntag ${tag.name}\ntagger ${formatSignatureLine(tag.tagger, tag.at)}\n\n${tag.message.trimEnd()}\n`,
  );
}

const TRAILER = /^([A-Za-z][A-Za-z-]*): (.*)$/;

/** `Key: value` lines of the last paragraph, as git's trailers; later ones win. */
export function trailersOf(message: string): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>();
  const text = message.trimEnd();
  const blank = text.lastIndexOf("\n\n");
  for (const line of (blank < 0 ? text : text.slice(blank + 2)).split("\n")) {
    const match = TRAILER.exec(line);
    if (match) trailers.set(match[1] ?? "", match[2] ?? "");
  }
  return trailers;
}
