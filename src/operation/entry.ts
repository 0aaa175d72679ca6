import type { RefChange } from "../git/ref-transaction.js";
import { canonicalJson } from "./canonical-json.js";

export const LOG_REF = "refs/kai/log";
export const NOTES_REF = "refs/notes/kai";
export const CURRENT_REF = "refs/tags/current";

export type OperationKind = "init" | "create" | "rollback" | "undo";

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

/** Reads an entry's message; undefined where it is none of ours. */
export function parseEntryMessage(message: string): { subject: string; entry: Entry } | undefined {
  const [subject, blank, line] = message.split("\n", 3);
  if (subject === undefined || blank !== "" || line === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isEntry(value) ? { subject, entry: value } : undefined;
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof Entry, unknown>>;
  return (
    entry.format === "kai-operation/1" &&
    typeof entry.id === "string" &&
    /^[0-9A-HJKMNP-TV-Z]{26}$/.test(entry.id) &&
    typeof entry.repo === "string" &&
    Number.isSafeInteger(entry.seq) &&
    typeof entry.kind === "string" &&
    typeof entry.at === "string" &&
    Array.isArray(entry.changes) &&
    entry.changes.every(isRefChange) &&
    Array.isArray(entry.withdrawn) &&
    Array.isArray(entry.restored) &&
    isActor(entry.actor) &&
    isCurrent(entry.current) &&
    typeof entry.details === "object" &&
    entry.details !== null
  );
}

function isActor(value: unknown): boolean {
  const actor = value as Partial<Actor> | null | undefined;
  return typeof actor?.name === "string" && typeof actor.email === "string" && typeof actor.key === "string";
}

function isRefChange(value: unknown): boolean {
  const change = value as Partial<RefChange> | null;
  const id = (each: unknown) => each === null || (typeof each === "string" && /^[0-9a-f]{40,64}$/.test(each));
  return typeof change?.ref === "string" && id(change.old) && id(change.new);
}

function isCurrent(value: unknown): boolean {
  const current = value as Partial<Record<"before" | "after", unknown>> | null | undefined;
  const inForce = (each: unknown) => {
    const pointer = each as Partial<InForce> | null | undefined;
    return (
      pointer === null ||
      (typeof pointer?.version === "string" && typeof pointer.tag === "string" && typeof pointer.pointer === "string")
    );
  };
  return typeof current === "object" && current !== null && inForce(current.before) && inForce(current.after);
}
