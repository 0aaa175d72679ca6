import { commitNotes, noteWith } from "../git/notes.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { unpackObjects } from "../git/write-objects.js";
import type { BuiltEntry } from "./build-entry.js";
import { NOTES_REF } from "./entry.js";
import type { EntrySigner, Operation } from "./operation.js";
import { pendingUnder } from "./pending.js";

/** An operation's note, written and kept by a ref for the time being. */
export interface WrittenNote {
  /** The lines that it was given. */
  readonly added: string;
  readonly change: RefChange;
  /** Of the ref that keeps it. */
  readonly dropped: RefChange;
}

/**
 * Writes an operation's objects, its entry and its note, by two git processes: side by side, unless the note is on one of the
 * objects. Undefined where it has no note.
 */
export async function writeOperation(
  repository: Repository,
  operation: Operation,
  built: BuiltEntry,
  signer: EntrySigner,
  inherit: readonly number[],
): Promise<WrittenNote | undefined> {
  const { objects, note } = operation;
  const unpacked = unpackObjects(repository, [...objects, ...built.objects], inherit);
  const first = objects.some((object) => object.id === note?.commit) ? unpacked : undefined;
  const [noted, written] = await Promise.allSettled([
    note && Promise.resolve(first).then(() => writeNote(repository, operation, note, built.at, signer, inherit)),
    unpacked,
  ]);
  if (written.status === "rejected") throw written.reason;
  if (noted.status === "rejected") throw noted.reason;
  return noted.value;
}

async function writeNote(
  repository: Repository,
  { id, subject }: Operation,
  { commit, lines, on }: NonNullable<Operation["note"]>,
  at: Date,
  who: EntrySigner,
  inherit: readonly number[],
): Promise<WrittenNote> {
  const ref = `${pendingUnder(id)}notes`;
  const added = lines.map((line) => `${line}\n`).join("");
  const notes = new Map([[commit, noteWith(on.text, added)]]);
  const made = await commitNotes(
    repository,
    { ref, parent: on.notes, who, at, message: `${subject}\n`, notes },
    inherit,
  );
  return {
    added,
    change: { ref: NOTES_REF, old: on.notes, new: made },
    dropped: { ref, old: made, new: null },
  };
}
