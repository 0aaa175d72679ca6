import { readFileSync } from "node:fs";
import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";
import type { SignatureOutcome, SignatureVerdict } from "./signature-verdict.js";

export interface VerificationCache {
  get(id: string): SignatureVerdict | undefined;
  /** Ignores a verdict that another key, or time alone, could change. */
  set(id: string, verdict: SignatureVerdict): void;
  /** Writes what is new. A failure to write is the caller's to ignore: the cache only saves time. */
  flush(): Promise<void>;
}

const FILE = "signatures";

const DEFINITE: ReadonlySet<SignatureOutcome> = new Set<SignatureOutcome>([
  "good",
  "bad",
  "expired-key-valid-then",
  "expired",
  "revoked-key",
  "weak",
]);

/** Lines of other rings that are kept when the file is written anew; beyond it they go. */
const KEPT_FOR_OTHERS = 50_000;

/**
 * What verification found before, by object id and by the digest of the keys and policy that it was judged under: lines of
 * `id ring crc verdict` in one file of `folder`, only ever appended to. A line that is torn or flipped is passed over.
 *
 * It trusts whoever can write in `folder`: the check finds accidents, not forgeries. Someone who can write there, inside the
 * user's own `.git`, can as well replace the hooks and the trust root that is pinned beside it. What decides for others
 * (pre-receive, the pull-request check) must therefore verify without it.
 */
export function openVerificationCache(folder: string, ringDigest: string): VerificationCache {
  const file = path.join(folder, FILE);
  const ring = ringDigest.slice(0, 32);
  const stored = readLines(file, ring);
  const added = new Map<string, string>();
  return {
    get(id) {
      const line = added.get(id) ?? stored.ours.get(id);
      return line === undefined ? undefined : parseLine(line, id, ring);
    },
    set(id, verdict) {
      if (!DEFINITE.has(verdict.outcome) || verdict.validUntil !== undefined) return;
      added.set(id, formatLine(id, ring, verdict));
    },
    async flush() {
      if (added.size === 0) return;
      const lines = [...added.values()];
      await mkdir(folder, { recursive: true });
      if (stored.others > KEPT_FOR_OTHERS) {
        const aside = `${file}.${process.pid}.tmp`;
        await writeFile(aside, joined([...stored.ours.values(), ...lines]));
        await rename(aside, file);
        stored.others = 0;
      } else {
        // The empty line in front keeps a write that was torn there from swallowing the first of ours.
        await appendFile(file, `\n${joined(lines)}`);
      }
      for (const [id, line] of added) stored.ours.set(id, line);
      added.clear();
    },
  };
}

function readLines(file: string, ring: string): { ours: Map<string, string>; others: number } {
  const ours = new Map<string, string>();
  let others = 0;
  for (const line of readText(file).split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    if (line.startsWith(ring, space + 1)) ours.set(line.slice(0, space), line);
    else others++;
  }
  return { ours, others };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // No cache, or one that cannot be read: everything is verified again.
    return "";
  }
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

function formatLine(id: string, ring: string, verdict: SignatureVerdict): string {
  const { outcome, format, key = "", signer = "", signedAt, reason = "" } = verdict;
  const text = JSON.stringify([outcome, format, key, signer, signedAt?.getTime() ?? null, reason]);
  // ASCII alone, so that the file can be read byte by byte.
  const ascii = text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `${id} ${ring} ${checkOf(id, ring, ascii)} ${ascii}`;
}

const checkOf = (id: string, ring: string, text: string): string =>
  crc32(`${id} ${ring} ${text}`).toString(16).padStart(8, "0");

type Fields = [SignatureOutcome, SignatureVerdict["format"], string, string, number | null, string];

function parseLine(line: string, id: string, ring: string): SignatureVerdict | undefined {
  const start = id.length + ring.length + 2;
  const text = line.slice(start + 9);
  if (line.slice(start, start + 9) !== `${checkOf(id, ring, text)} `) return undefined;
  const [outcome, format, key, signer, signedAt, reason] = JSON.parse(text) as Fields;
  return {
    outcome,
    format,
    ...(key && { key }),
    ...(signer && { signer }),
    ...(signedAt !== null && { signedAt: new Date(signedAt) }),
    ...(reason && { reason }),
  };
}
