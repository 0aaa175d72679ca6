import { readNote } from "../git/notes.js";
import { NOTES_REF } from "../operation/entry.js";
import type { Operation } from "../operation/operation.js";
import type { Signer } from "../trust/signer.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";

/** What an entry says of a deployment. */
export interface DeploymentEntry {
  readonly kind: "deploy" | "undo" | "outcome";
  /** The subject, before the version's tag. */
  readonly verb: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An entry of the log about a version, which moves no ref. */
export async function deploymentEntry(
  { id, at, log, history, reader }: WritingSession,
  version: KnownVersion,
  signer: Signer,
  { kind, verb, details }: DeploymentEntry,
): Promise<Operation> {
  const subject = `${verb} ${version.tag}`;
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
      commit: version.commit,
      lines: [JSON.stringify(noted)],
      on: await readNote(reader, NOTES_REF, version.commit),
    },
  };
}
