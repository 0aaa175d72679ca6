import { readFileSync } from "node:fs";
import { appendFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "../system/durable-file.js";
import type { SignatureOutcome, SignatureVerdict } from "./signature-verdict.js";

export interface VerificationCache {
  get(id: string): SignatureVerdict | undefined;
  /** The outcome alone, for those who ask for thousands. */
  outcome(id: string): SignatureOutcome | undefined;
  /** Ignores a verdict that time alone could change. */
  set(id: string, verdict: SignatureVerdict): void;
  /** Writes what is new. A failure to write is the caller's to ignore: the cache only saves time. */
  flush(): Promise<void>;
}

const FILE = "signatures";

/** By their place here they are written, so new ones come last. What another key could change, another ring tells. */
const OUTCOMES: readonly SignatureOutcome[] = [
  "good",
  "bad",
  "expired-key-valid-then",
  "expired",
  "revoked-key",
  "weak",
  "unsigned",
  "unknown-key",
  "unsupported-format",
];

/** The file is written anew, with our ring alone, when others take more bytes than this or it is in more pieces. */
const MOST_OF_OTHERS = 2 << 20;
const MOST_PIECES = 256;

/**
 * What verification found before, by object id and by the digest of the keys and policy that it was judged under. One file of
 * `folder`, only ever appended to: each flush adds a piece with a check of its own, and a piece that is torn or flipped is
 * passed over.
 *
 * It trusts whoever can write in `folder`: the check finds accidents, not forgeries. Someone who can write there, inside the
 * user's own `.git`, can as well replace the hooks and the trust root that is pinned beside it. What decides for others
 * (pre-receive, the pull-request check) must therefore verify without it.
 */
export function openVerificationCache(folder: string, ringDigest: string): VerificationCache {
  const file = path.join(folder, FILE);
  const ring = ringDigest.slice(0, 32);
  const stored = readPieces(readText(file), ring);
  const added = new Map<string, SignatureVerdict>();
  const get = (id: string): SignatureVerdict | undefined => added.get(id) ?? verdictOf(stored.records.get(id));
  return {
    get,
    outcome: (id) => added.get(id)?.outcome ?? outcomeOf(stored.records.get(id)),
    set(id, verdict) {
      if (verdict.validUntil === undefined) added.set(id, verdict);
    },
    async flush() {
      if (added.size === 0) return;
      await makeFolder(folder, 0o777);
      if (stored.others > MOST_OF_OTHERS || stored.pieces > MOST_PIECES) {
        for (const id of stored.records.keys()) {
          const verdict = get(id);
          if (verdict) added.set(id, verdict);
        }
        const aside = `${file}.new-${process.pid}`;
        await writeFile(aside, formatPiece(ring, added));
        await rename(aside, file);
      } else {
        await appendFile(file, formatPiece(ring, added));
      }
      Object.assign(stored, readPieces(readText(file), ring));
      added.clear();
    },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // No cache, or one that cannot be read: everything is verified again.
    return "";
  }
}

/** Who signed, and why a signature is not good: the same for many, so written once a piece. */
type Signer = readonly [format: SignatureVerdict["format"], key: string, signer: string, reason: string];

interface StoredRecord {
  /** Behind the id: outcome and signer by their number, and the time in milliseconds. */
  readonly text: string;
  readonly signers: readonly Signer[];
}

// The empty line in front keeps a piece that was torn before it from swallowing it.
const HEADER = /\nkai-verified\/1 (\S+) ([0-9a-f]{8}) (\d{1,9})\n/g;

function readPieces(
  text: string,
  ring: string,
): { records: Map<string, StoredRecord>; others: number; pieces: number } {
  const found = { records: new Map<string, StoredRecord>(), others: 0, pieces: 0 };
  HEADER.lastIndex = 0;
  for (let header = HEADER.exec(text); header !== null; header = HEADER.exec(text)) {
    const [whole, ofRing = "", check, length] = header;
    const start = header.index + whole.length;
    const body = text.slice(start, start + Number(length));
    if (body.length !== Number(length) || checkOf(ofRing, body) !== check) continue;
    HEADER.lastIndex = start + body.length;
    found.pieces++;
    if (ofRing === ring) readRecords(body, found.records);
    else found.others += body.length;
  }
  return found;
}

function readRecords(body: string, records: Map<string, StoredRecord>): void {
  let start = body.indexOf("\n") + 1;
  const signers = JSON.parse(body.slice(0, start)) as Signer[];
  for (let end = body.indexOf("\n", start); end >= 0; end = body.indexOf("\n", start)) {
    const space = body.indexOf(" ", start);
    records.set(body.slice(start, space), { text: body.slice(space + 1, end), signers });
    start = end + 1;
  }
}

const outcomeOf = (record: StoredRecord | undefined): SignatureOutcome | undefined =>
  record && OUTCOMES[Number(record.text.slice(0, record.text.indexOf(" ")))];

function verdictOf(record: StoredRecord | undefined): SignatureVerdict | undefined {
  if (record === undefined) return undefined;
  const [, signerNumber, time] = record.text.split(" ");
  const outcome = outcomeOf(record);
  const found = record.signers[Number(signerNumber)];
  if (outcome === undefined || found === undefined) return undefined;
  const [format, key, signer, reason] = found;
  const verdict: SignatureVerdict = { outcome, format };
  if (key) verdict.key = key;
  if (signer) verdict.signer = signer;
  if (time) verdict.signedAt = new Date(Number(time));
  if (reason) verdict.reason = reason;
  return verdict;
}

function formatPiece(ring: string, verdicts: ReadonlyMap<string, SignatureVerdict>): string {
  const signers = new Map<string, number>();
  const lines: string[] = [];
  for (const [id, { outcome, format, key = "", signer = "", signedAt, reason = "" }] of verdicts) {
    const text = JSON.stringify([format, key, signer, reason] satisfies Signer);
    const number = signers.get(text) ?? signers.size;
    signers.set(text, number);
    lines.push(`${id} ${OUTCOMES.indexOf(outcome)} ${number} ${signedAt?.getTime() ?? ""}\n`);
  }
  const body = `${ascii(`[${[...signers.keys()].join(",")}]`)}\n${lines.join("")}`;
  return `\nkai-verified/1 ${ring} ${checkOf(ring, body)} ${body.length}\n${body}`;
}

/** JSON in ASCII alone, so that the file's bytes are its characters. */
const ascii = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const checkOf = (ring: string, body: string): string =>
  crc32(Buffer.from(ring + body, "latin1"))
    .toString(16)
    .padStart(8, "0");
