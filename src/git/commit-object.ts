import type { ObjectFormat } from "./repository.js";
import { dateOf, formatSignatureLine, type Identity } from "./signature-line.js";

export interface CommitObject {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly committer: { readonly name: string; readonly email: string; readonly at: Date };
  readonly message: string;
  /** The bytes that were signed: the commit without its signature header. */
  readonly payload: Buffer;
  readonly signature: Buffer | undefined;
}

/** Git's name of the header that holds the signature over the commit in this object format. */
const signatureHeader = (format: ObjectFormat): string => (format === "sha1" ? "gpgsig" : "gpgsig-sha256");

/** A signed commit's bytes: the signature as a header, its lines continued with a blank, as git writes them. */
export function formatSignedCommit(payload: Buffer, signature: string, format: ObjectFormat): Buffer {
  const end = payload.indexOf("\n\n");
  const header = `\n${signatureHeader(format)} ${signature.trimEnd().split("\n").join("\n ")}`;
  return Buffer.concat([payload.subarray(0, end), Buffer.from(header), payload.subarray(end)]);
}

export function formatCommitPayload(commit: {
  tree: string;
  parents: readonly string[];
  who: Identity;
  at: Date;
  message: string;
}): Buffer {
  const who = formatSignatureLine(commit.who, commit.at);
  const parents = commit.parents.map((parent) => `parent ${parent}\n`).join("");
  return Buffer.from(`tree ${commit.tree}\n${parents}author ${who}\ncommitter ${who}\n\n${commit.message.trimEnd()}\n`);
}

const HEADERS =
  /^tree (?<tree>[0-9a-f]{40,64})\n(?<parents>(?:parent [0-9a-f]{40,64}\n)*)author [^\n]*\ncommitter (?<name>[^<>\n]*) ?<(?<email>[^<>\n]*)> (?<seconds>[0-9]{1,15}) [+-][0-9]{4}\n(?<rest>(?:[^\n]+\n)*)\n/;

/** Bytes of headers: far beyond any signature, and few enough for an expression not to use up the stack. */
const MOST_HEADERS = 1 << 20;

/**
 * Reads the raw bytes of a commit strictly, as our own writing makes them: tree, parents, author, committer and at most
 * one signature, no other header. Undefined for anything else.
 */
export function parseSignedCommit(raw: Buffer, format: ObjectFormat): CommitObject | undefined {
  if (raw.includes(0)) return undefined;
  const headersEnd = raw.indexOf("\n\n");
  if (headersEnd < 0 || headersEnd > MOST_HEADERS) return undefined;
  const text = raw.toString("utf8");
  if (!Buffer.from(text).equals(raw)) return undefined;
  const groups = HEADERS.exec(text)?.groups;
  if (!groups) return undefined;
  const at = dateOf(groups["seconds"]);
  if (at === undefined) return undefined;
  const rest = groups["rest"] ?? "";
  const header = signatureHeader(format);
  let signature: Buffer | undefined;
  let payload = raw;
  if (rest !== "") {
    const lines = rest.slice(0, -1).split("\n");
    const [first = "", ...others] = lines;
    if (!first.startsWith(`${header} `) || others.some((line) => !line.startsWith(" "))) return undefined;
    signature = Buffer.from(`${[first.slice(header.length + 1), ...others.map((line) => line.slice(1))].join("\n")}\n`);
    const start = text.indexOf(`\n${rest}`) + 1;
    payload = Buffer.from(text.slice(0, start) + text.slice(start + rest.length));
  }
  return {
    tree: groups["tree"] ?? "",
    parents: (groups["parents"] ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.slice("parent ".length)),
    committer: {
      name: (groups["name"] ?? "").trim(),
      email: groups["email"] ?? "",
      at,
    },
    message: text.slice(text.indexOf("\n\n") + 2),
    payload,
    signature,
  };
}
