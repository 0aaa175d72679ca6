import type { RefChange } from "../git/ref-transaction.js";
import { canonicalJson, parseCanonicalJson } from "./canonical-json.js";

export const LOG_REF = "refs/kai/log";
export const NOTES_REF = "refs/notes/kai";
export const CURRENT_REF = "refs/tags/current";

export const OPERATION_KINDS = [
  "init",
  "create",
  "promote",
  "rollback",
  "undo",
  "deploy",
  "state",
  "snapshot",
  "outcome",
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export interface Actor {
  readonly name: string;
  readonly email: string;
  /** Fingerprint of the key that signed the entry. */
  readonly key: string;
}

/** The version in force: its number, its tag's object id, and the object id of the `current` tag that says so. */
export interface InForce {
  readonly version: string;
  readonly tag: string;
  readonly pointer: string;
}

/** What an entry of the log says; its message is a subject for people, then this as one line of canonical JSON. */
export interface Entry {
  readonly format: "kai-operation/1";
  /** ULID of the operation. */
  readonly id: string;
  /** Random id of the repository, made by its first entry. */
  readonly repo: string;
  /** 1 + the highest of the parents'; the first is 0. */
  readonly seq: number;
  readonly kind: OperationKind;
  readonly actor: Actor;
  /** ISO 8601 in UTC, whole seconds; never before the parent's. */
  readonly at: string;
  readonly changes: readonly RefChange[];
  readonly current: { readonly before: InForce | null; readonly after: InForce | null };
  /** Versions that this operation withdrew or took back into use. */
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  /** What only this kind of operation has to say. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** An entry as it stands in the repository. */
export interface LoggedEntry extends Entry {
  /** Object id of its commit. */
  readonly commit: string;
  readonly parents: readonly string[];
  readonly subject: string;
}

export const formatEntryMessage = (subject: string, entry: Entry): string => `${subject}\n\n${canonicalJson(entry)}\n`;

/** Regular expressions of what an entry holds, without anchors or groups that capture. */
export const ENTRY_PATTERNS = {
  operation: "[0-9A-HJKMNP-TV-Z]{26}",
  objectId: "(?:[0-9a-f]{40}|[0-9a-f]{64})",
  kind: `(?:${OPERATION_KINDS.join("|")})`,
  /** A semantic version (semver 2.0.0). */
  version: String.raw`(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?`,
  /** ISO 8601 in UTC; we write whole seconds. */
  time: String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z`,
} as const;

const matcher = (name: keyof typeof ENTRY_PATTERNS) => {
  const pattern = new RegExp(`^${ENTRY_PATTERNS[name]}$`);
  return (value: unknown): boolean => typeof value === "string" && pattern.test(value);
};

const isOperation = matcher("operation");
const isObjectId = matcher("objectId");
const isKind = matcher("kind");
const isVersion = matcher("version");
const isTime = matcher("time");

/** A subject, a blank line, one line of JSON, and the end. */
const MESSAGE = /^([^\n]*)\n\n([^\n]+)\n?$/;

/** Reads an entry's message; undefined where it is none of ours. Keys that a later version adds are kept. */
export function parseEntryMessage(message: string): { subject: string; entry: Entry } | undefined {
  const [, subject, line] = MESSAGE.exec(message) ?? [];
  if (subject === undefined || line === undefined) return undefined;
  const value = parseCanonicalJson(line)?.value;
  return isEntry(value) ? { subject, entry: value } : undefined;
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof Entry, unknown>>;
  return (
    entry.format === "kai-operation/1" &&
    isOperation(entry.id) &&
    typeof entry.repo === "string" &&
    Number.isSafeInteger(entry.seq) &&
    isKind(entry.kind) &&
    isTime(entry.at) &&
    Array.isArray(entry.changes) &&
    entry.changes.every(isRefChange) &&
    isVersions(entry.withdrawn) &&
    isVersions(entry.restored) &&
    isActor(entry.actor) &&
    isCurrent(entry.current) &&
    typeof entry.details === "object" &&
    entry.details !== null
  );
}

const isVersions = (value: unknown): boolean => Array.isArray(value) && value.every(isVersion);

function isActor(value: unknown): boolean {
  const actor = value as Partial<Actor> | null | undefined;
  return typeof actor?.name === "string" && typeof actor.email === "string" && typeof actor.key === "string";
}

function isRefChange(value: unknown): boolean {
  const change = value as Partial<RefChange> | null;
  const id = (each: unknown) => each === null || isObjectId(each);
  return typeof change?.ref === "string" && id(change.old) && id(change.new);
}

function isCurrent(value: unknown): boolean {
  const current = value as Partial<Record<"before" | "after", unknown>> | null | undefined;
  const inForce = (each: unknown) => {
    const pointer = each as Partial<InForce> | null | undefined;
    return (
      pointer === null || (isVersion(pointer?.version) && isObjectId(pointer?.tag) && isObjectId(pointer?.pointer))
    );
  };
  return typeof current === "object" && current !== null && inForce(current.before) && inForce(current.after);
}
