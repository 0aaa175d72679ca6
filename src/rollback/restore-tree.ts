import { formatCommitPayload, formatSignedCommit } from "../git/commit-object.js";
import { readNote } from "../git/notes.js";
import { type GitObject, makeObject } from "../git/object.js";
import type { RefChange } from "../git/ref-transaction.js";
import { CURRENT_REF, type InForce, NOTES_REF, type OperationKind } from "../operation/entry.js";
import type { PerformedOperation } from "../operation/operation.js";
import type { Signer } from "../trust/signer.js";
import type { KnownVersion } from "../version/history.js";
import { liveStateOf } from "../version/live-state.js";
import { makeCurrentTag } from "../version/release-objects.js";
import type { WritingSession } from "../version/writing-session.js";

export interface RestoreRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  /** The branch that gets the commit; null where the tree stays as it is and only `current` moves. */
  readonly branch: string | null;
  readonly head: string;
  /** Trees of HEAD and of what is to be in place; the same where no commit is made. */
  readonly fromTree: string;
  readonly toTree: string;
  readonly message: string;
  /** What is to be in force; null for nothing. */
  readonly version: KnownVersion | null;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** The commit whose note tells of it; undefined for none. */
  readonly noteOn: string | undefined;
  readonly saved: ReadonlySet<string>;
}

export interface Restored {
  readonly commit: string | null;
  readonly performed: PerformedOperation;
}

/** Puts a tree into the branch as one new commit, and its version in force, as one operation. */
export async function restoreTree(session: WritingSession, request: RestoreRequest, signer: Signer): Promise<Restored> {
  const { log, history, id, at } = session;
  const { repository, config } = session.agent;
  const objects: GitObject[] = [];
  const changes: RefChange[] = [];
  const files = new Map(log.files);
  const commit = request.fromTree === request.toTree ? undefined : await signedCommit(session, request, signer);
  if (commit && request.branch !== null) {
    objects.push(commit);
    changes.push({ ref: request.branch, old: request.head, new: commit.id });
  }
  const before = history.current;
  let after: InForce | null = null;
  if (request.version !== null) {
    const pointer = await makeCurrentTag(
      {
        version: request.version.number.text,
        tagName: request.version.tag,
        tag: request.version.tagId,
        commit: request.version.commit,
        agent: config.agent_id,
        repo: log.entry.repo,
        operation: id,
        at,
      },
      signer,
      repository.objectFormat,
    );
    objects.push(pointer.object);
    files.set("tags/current", pointer.object.content);
    after = pointer.inForce;
  }
  changes.push({ ref: CURRENT_REF, old: before?.pointer ?? null, new: after?.pointer ?? null });
  const head = commit?.id ?? request.head;
  const performed = await session.perform(
    {
      id,
      repo: log.entry.repo,
      kind: request.kind,
      subject: request.subject,
      at,
      log: { head: log.head, seq: log.entry.seq, at: log.at },
      current: { before, after },
      withdrawn: request.withdrawn,
      restored: request.restored,
      details: { ...request.details, head, previousHead: request.head, commit: commit?.id ?? null },
      objects,
      changes: changes.filter((change) => change.old !== change.new),
      held: commit || request.branch === null ? [] : [{ ref: request.branch, old: request.head, new: request.head }],
      files,
      note:
        request.noteOn === undefined
          ? undefined
          : {
              commit: request.noteOn,
              lines: [noteLine(session, request, signer)],
              on: await readNote(session.reader, NOTES_REF, request.noteOn),
            },
      worktree:
        commit || request.saved.size > 0
          ? {
              from: request.fromTree,
              to: request.toTree,
              saved: request.saved,
              isKept: liveStateOf(config),
              reset: request.saved.size > 0,
            }
          : undefined,
    },
    signer,
  );
  return { commit: commit?.id ?? null, performed };
}

async function signedCommit(session: WritingSession, request: RestoreRequest, signer: Signer): Promise<GitObject> {
  const { objectFormat } = session.agent.repository;
  const payload = formatCommitPayload({
    tree: request.toTree,
    parents: [request.head],
    who: signer,
    at: session.at,
    message: request.message,
  });
  return makeObject(
    "commit",
    formatSignedCommit(payload, await signer.sign(payload, session.at), objectFormat),
    objectFormat,
  );
}

/** What the note of the version left says: a copy of the entry in short. */
const noteLine = (session: WritingSession, request: RestoreRequest, signer: Signer): string =>
  JSON.stringify({
    at: session.at.toISOString(),
    by: { email: signer.email, key: signer.fingerprint, name: signer.name },
    format: "kai-entry/1",
    kind: request.kind,
    operation: session.id,
    restored: request.restored,
    subject: request.subject,
    withdrawn: request.withdrawn,
  });
