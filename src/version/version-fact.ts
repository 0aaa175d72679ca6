import { readNote } from "../git/notes.js";
import { NOTES_REF, type OperationKind } from "../operation/entry.js";
import type { Operation } from "../operation/operation.js";
import type { Signer } from "../trust/signer.js";
import type { KnownVersion } from "./history.js";
import type { WritingSession } from "./writing-session.js";

/** What an entry says of a version. */
export interface VersionFact {
  /** The operation's ULID. */
  readonly id: string;
  readonly kind: OperationKind;
  readonly subject: string;
  /** The version on whose commit a note tells of it. */
  readonly about: KnownVersion;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An entry of the log about a version, which moves no ref and leaves what is in force as it is. */
export async function versionFact(
  { at, log, history, reader }: WritingSession,
  signer: Signer,
  { id, kind, subject, about, details }: VersionFact,
): Promise<Operation> {
  const noted = {
    at: at.toISOString(),
    by: { email: signer.email, key: signer.fingerprint, name: signer.name },
    format: "kai-entry/1",
    kind,
    operation: id,
    restored: [],
    subject,
    withdrawn: [],
  };
  return {
    id,
    repo: log.entry.repo,
    kind,
    subject,
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before: history.current, after: history.current },
    details,
    objects: [],
    changes: [],
    held: [],
    files: log.files,
    note: {
      commit: about.commit,
      lines: [JSON.stringify(noted)],
      on: await readNote(reader, NOTES_REF, about.commit),
    },
  };
}
