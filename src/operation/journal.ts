import { createHash } from "node:crypto";
import { readdir, readFile, rm, truncate } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { RefChange } from "../git/ref-transaction.js";
import { appendDurably, syncFolder, writeDurably } from "../system/durable-file.js";
import { canonicalJson } from "./canonical-json.js";
import type { AgentSide } from "./live-change.js";

/** Written before anything else: an operation is under way. */
export interface BeginRecord {
  readonly step: "begin";
  readonly operation: string;
  readonly kind: string;
  /** Refs that will be locked, so that locks left behind can be told from other people's. */
  readonly refs: readonly string[];
  /** Where the repository was; in a copy, or after a move, the two paths below are somebody else's. */
  readonly commonDir: string;
  /** The git folder of the worktree whose index is changed; null where none is. */
  readonly indexOf: string | null;
  readonly workTree: string | null;
  /** Which agents run where nothing happened, and where it did; null where they are left alone. */
  readonly agents: { readonly before: AgentSide; readonly after: AgentSide } | null;
}

/** Written before an agent is stopped or started: whoever recovers has to see to the right one. */
export interface HandingOverRecord {
  readonly step: "handing-over";
}

/** Written when all is ready; from here the log decides whether it happened. */
export interface PreparedRecord {
  readonly step: "prepared";
  readonly log: { readonly old: string | null; readonly new: string };
  readonly refs: readonly RefChange[];
  /** The note that the operation writes, should its ref have moved meanwhile. */
  readonly note: { readonly commit: string; readonly text: string } | null;
}

export interface DoneRecord {
  readonly step: "done";
}

export type JournalRecord = BeginRecord | HandingOverRecord | PreparedRecord | DoneRecord;

export interface Journal {
  readonly file: string;
  readonly begin: BeginRecord;
  readonly handingOver: boolean;
  readonly prepared: PreparedRecord | undefined;
  readonly done: boolean;
}

/** Starts the journal of an operation: there whole, or not at all. */
export async function beginJournal(folder: string, begin: BeginRecord): Promise<string> {
  const file = path.join(folder, begin.operation);
  await writeDurably(file, formatRecord(begin));
  return file;
}

/** Adds a record; what a crash tore off at the end goes first, else it would be damage in the middle. */
export async function appendRecord(file: string, record: Exclude<JournalRecord, BeginRecord>): Promise<void> {
  const before = await readFile(file);
  const whole = before.lastIndexOf("\n") + 1;
  if (whole < before.length) await truncate(file, whole);
  await appendDurably(file, formatRecord(record));
}

export async function removeJournal(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncFolder(path.dirname(file));
}

/** Operations that were begun and not ended, oldest first. */
export async function listJournals(folder: string): Promise<Journal[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw cause;
  });
  // A file that was still being written aside never counted.
  const files = names.filter((name) => /^[0-9A-Z]{26}$/.test(name)).sort();
  return Promise.all(
    files.map(async (name) => parseJournal(path.join(folder, name), await readFile(path.join(folder, name), "utf8"))),
  );
}

const formatRecord = (record: JournalRecord): string => {
  const line = canonicalJson(record);
  return `${checksum(line)} ${line}\n`;
};

const checksum = (line: string): string => createHash("sha256").update(line).digest("hex").slice(0, 32);

/**
 * Reads a journal. A last line without its line feed was torn by a crash and never counted; anything else that does not
 * match its checksum is damage that nobody may act on (E115).
 */
export function parseJournal(file: string, text: string): Journal {
  const lines = text.split("\n");
  lines.pop();
  const records = lines.map((line, index) => {
    const [sum, json] = [line.slice(0, 32), line.slice(33)];
    if (line[32] !== " " || checksum(json) !== sum)
      throw damaged(file, `line ${index + 1} does not match its checksum`);
    return JSON.parse(json) as JournalRecord;
  });
  const [begin, ...rest] = records;
  if (begin?.step !== "begin") throw damaged(file, "its first record is missing");
  return {
    file,
    begin,
    handingOver: rest.some((record) => record.step === "handing-over"),
    prepared: rest.find((record) => record.step === "prepared"),
    done: rest.some((record) => record.step === "done"),
  };
}

const damaged = (file: string, why: string): KaiError =>
  new KaiError("E115", `The journal ${file} is damaged: ${why}.`, {
    hint: "Nothing was changed. Compare `git log refs/kai/log` with your tags and branch, then move that file away.",
  });
