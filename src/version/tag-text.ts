import { KaiError } from "../error.js";
import { trailersOf } from "../git/tag-object.js";
import { ENTRY_PATTERNS, type InForce } from "../operation/entry.js";
import { findNumber } from "./number.js";
import type { VersionType } from "./record.js";

/** What the signed body of a version's tag says. */
export interface VersionTagText {
  readonly description: string;
  readonly changelog: readonly string[];
  readonly agent: string;
  readonly repo: string;
  readonly type: VersionType;
  readonly parent: string | null;
  readonly hash: string;
  readonly record: string;
  readonly state: string | null;
}

export function formatVersionTag(text: VersionTagText): string {
  const paragraphs = [text.description.trim()];
  if (text.changelog.length > 0) paragraphs.push(text.changelog.map((line) => `- ${line}`).join("\n"));
  const trailers = [
    ["Kai-Agent", text.agent],
    ["Kai-Repo", text.repo],
    ["Kai-Type", text.type],
    ["Kai-Parent", text.parent],
    ["Kai-Hash", text.hash],
    ["Kai-Record", text.record],
    ["Kai-State", text.state],
  ];
  paragraphs.push(
    trailers
      .filter(([, value]) => value !== null)
      .map(([key, value]) => `${key}: ${value}`)
      .join("\n"),
  );
  return `${paragraphs.join("\n\n")}\n`;
}

const TYPES: ReadonlySet<string> = new Set(["auto", "manual", "release", "rollback"]);

/** Reads the body of a version's tag; undefined where it is not one of ours. */
export function parseVersionTag(
  message: string,
): (Omit<VersionTagText, "changelog" | "description"> & { subject: string }) | undefined {
  const trailers = trailersOf(message);
  const get = (key: string) => trailers.get(key);
  const [agent, repo, type, hash, record] = [
    get("Kai-Agent"),
    get("Kai-Repo"),
    get("Kai-Type"),
    get("Kai-Hash"),
    get("Kai-Record"),
  ];
  if (!agent || !repo || !type || !hash || !record || !TYPES.has(type)) return undefined;
  return {
    subject: message.split("\n", 1)[0] ?? "",
    agent,
    repo,
    type: type as VersionType,
    parent: get("Kai-Parent") ?? null,
    hash,
    record,
    state: get("Kai-State") ?? null,
  };
}

/** Text for a tag's body, refused (E122) where git would take a line of it for the beginning of a signature. */
export function checkDescription(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) {
    throw new KaiError("E122", "The description holds control characters.", { hint: "Give plain text behind -m." });
  }
  if (/^-----BEGIN /m.test(text)) {
    throw new KaiError("E122", "A line of the description begins like a signature (-----BEGIN).", {
      hint: "git would take the rest for the tag's signature: begin that line otherwise.",
    });
  }
  if (text.trim() === "")
    throw new KaiError("E122", "The description is empty.", { hint: "Give some text behind -m." });
  return text.trim();
}

/** The body of the tag `current`: which version is in force, and by which operation. */
export const formatCurrentTag = (pointer: {
  version: string;
  tagName: string;
  tag: string;
  agent: string;
  repo: string;
  operation: string;
}): string =>
  `${pointer.tagName} is in force\n\nKai-Agent: ${pointer.agent}\nKai-Repo: ${pointer.repo}\nKai-Version: ${pointer.version}\nKai-Version-Tag: ${pointer.tag}\nKai-Operation: ${pointer.operation}\n`;

const OBJECT_ID = new RegExp(`^${ENTRY_PATTERNS.objectId}$`);
const OPERATION = new RegExp(`^${ENTRY_PATTERNS.operation}$`);

/** Reads the body of the tag `current`, whose own object id is `pointer`; undefined where it is none of ours. */
export function parseCurrentTag(message: string, pointer: string): (InForce & { operation: string }) | undefined {
  const trailers = trailersOf(message);
  const [version, tag, operation] = [
    trailers.get("Kai-Version"),
    trailers.get("Kai-Version-Tag"),
    trailers.get("Kai-Operation"),
  ];
  if (!version || !tag || !operation || !findNumber(version)) return undefined;
  if (!OBJECT_ID.test(tag) || !OPERATION.test(operation)) return undefined;
  return { version, tag, pointer, operation };
}
