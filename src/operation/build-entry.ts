import { formatCommitPayload, formatSignedCommit } from "../git/commit-object.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { ObjectFormat } from "../git/repository.js";
import { type Entry, formatEntryMessage } from "./entry.js";
import type { EntrySigner, Operation } from "./operation.js";

export interface BuiltEntry {
  readonly entry: Entry;
  readonly commit: GitObject;
  /** The commit, its trees and its files. */
  readonly objects: readonly GitObject[];
  readonly at: Date;
}

/** The signed commit that an operation adds to the log. Its time is never before that of the entry it follows. */
export async function buildEntry(operation: Operation, signer: EntrySigner, format: ObjectFormat): Promise<BuiltEntry> {
  const at = new Date(Math.max(wholeSeconds(operation.at), operation.log ? wholeSeconds(operation.log.at) : 0));
  const entry: Entry = {
    format: "kai-operation/1",
    id: operation.id,
    repo: operation.repo,
    seq: operation.log === null ? 0 : operation.log.seq + 1,
    kind: operation.kind,
    actor: { name: signer.name, email: signer.email, key: signer.fingerprint },
    at: isoSeconds(at),
    changes: operation.changes,
    current: operation.current,
    withdrawn: operation.withdrawn ?? [],
    restored: operation.restored ?? [],
    details: operation.details ?? {},
  };
  const blobs = [...operation.files].map(([path, content]) => ({ path, blob: makeObject("blob", content, format) }));
  const { root, trees } = makeTrees(
    new Map(blobs.map(({ path, blob }) => [path, { mode: "100644", id: blob.id }])),
    format,
  );
  const payload = formatCommitPayload({
    tree: root.id,
    parents: operation.log === null ? [] : [operation.log.head],
    who: signer,
    at,
    message: formatEntryMessage(operation.subject, entry),
  });
  const commit = makeObject("commit", formatSignedCommit(payload, await signer.sign(payload, at), format), format);
  return { entry, commit, objects: [...blobs.map(({ blob }) => blob), ...trees, commit], at };
}

const wholeSeconds = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000;

/** `2026-01-31T12:00:00Z`: git keeps whole seconds, so nothing else would survive. */
export const isoSeconds = (at: Date): string => `${new Date(wholeSeconds(at)).toISOString().slice(0, 19)}Z`;
