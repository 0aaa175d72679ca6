import { formatCommitPayload, formatSignedCommit } from "../git/commit-object.js";
import { readNote } from "../git/notes.js";
import { type GitObject, makeObject } from "../git/object.js";
import type { RefChange } from "../git/ref-transaction.js";
import { CURRENT_REF, type InForce, NOTES_REF, type OperationKind } from "../operation/entry.js";
import type { LiveChange } from "../operation/live-change.js";
import type { PerformedOperation } from "../operation/operation.js";
import type { Signer } from "../trust/signer.js";
import type { KnownVersion } from "../version/history.js";
import { liveStateOf } from "../version/live-state.js";
import type { VersionNumber } from "../version/number.js";
import { makeCurrentTag } from "../version/release-objects.js";
import type { SealedRelease } from "../version/seal-release.js";
import type { TagName } from "../version/tag-name.js";
import type { WritingSession } from "../version/writing-session.js";
import { mintVersion } from "./mint-version.js";

/** A version that is made of the tree, and the capture whose state it has. */
export interface NewVersion {
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly description: string;
  readonly capture: { readonly commit: string; readonly digest: string } | undefined;
}

export interface RestoreRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  /** The branch that gets the commit; null where the tree stays as it is and only `current` moves. */
  readonly branch: string | null;
  readonly head: string;
  /** Trees of HEAD and of what is to be in place; the same where no files change. */
  readonly fromTree: string;
  readonly toTree: string;
  readonly message: string;
  /** What is to be in force; null for nothing. */
  readonly version: KnownVersion | NewVersion | null;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** Files of the entry's tree, such as the plan. */
  readonly files?: ReadonlyMap<string, Buffer>;
  /** The commit whose note tells of it; undefined for none. */
  readonly noteOn: string | undefined;
  readonly saved: ReadonlySet<string>;
  readonly live?: LiveChange | undefined;
  /** Throws (E124) where there is no time left to go on; called right before the commit point. */
  readonly requireTime?: () => void;
}

export interface Restored {
  readonly commit: string | null;
  /** The version that was made; undefined where one was there. */
  readonly made: SealedRelease | undefined;
  readonly performed: PerformedOperation;
  /** What is in force now. */
  readonly inForce: InForce | null;
}

const isNew = (version: KnownVersion | NewVersion): version is NewVersion => !("tagId" in version);

/** Puts a tree into the branch as one new commit, and its version in force, as one operation. */
export async function restoreTree(session: WritingSession, request: RestoreRequest, signer: Signer): Promise<Restored> {
  const { log, history, id, at } = session;
  const mints = request.version !== null && isNew(request.version);
  // A version has a commit of its own, even where only the state goes back.
  const commits = request.fromTree !== request.toTree || mints;
  const commit = commits ? await signedCommit(session, request, signer) : undefined;
  const objects: GitObject[] = [];
  const changes: RefChange[] = [];
  if (commit && request.branch !== null) {
    objects.push(commit);
    changes.push({ ref: request.branch, old: request.head, new: commit.id });
  }
  const placed = await putInForce(session, request, commit, signer);
  objects.push(...placed.objects);
  changes.push(...placed.changes);
  const before = history.current;
  changes.push({ ref: CURRENT_REF, old: before?.pointer ?? null, new: placed.after?.pointer ?? null });
  const head = commit?.id ?? request.head;
  const performed = await session.perform(
    {
      id,
      repo: log.entry.repo,
      kind: request.kind,
      subject: request.subject,
      at,
      log: { head: log.head, seq: log.entry.seq, at: log.at },
      current: { before, after: placed.after },
      withdrawn: request.withdrawn,
      restored: request.restored,
      details: { ...request.details, ...placed.details, head, previousHead: request.head, commit: commit?.id ?? null },
      objects,
      changes: changes.filter((change) => change.old !== change.new),
      held: commit || request.branch === null ? [] : [{ ref: request.branch, old: request.head, new: request.head }],
      files: new Map([...log.files, ...placed.files, ...(request.files ?? [])]),
      note: await noteFor(session, request, placed.made, commit, signer),
      worktree:
        commit || request.saved.size > 0
          ? {
              from: request.fromTree,
              to: request.toTree,
              saved: request.saved,
              isKept: liveStateOf(session.agent.config),
              reset: request.saved.size > 0,
            }
          : undefined,
      live: request.live,
      requireTime: request.requireTime,
    },
    signer,
  );
  return { commit: commit?.id ?? null, made: placed.made, performed, inForce: placed.after };
}

/** The tag `current`, and the version that it stands on where that has to be made. */
async function putInForce(
  session: WritingSession,
  { version, toTree, head }: RestoreRequest,
  commit: GitObject | undefined,
  signer: Signer,
) {
  const { repository, config } = session.agent;
  if (version === null) return { after: null, made: undefined, objects: [], changes: [], files: [], details: {} };
  if (isNew(version) && commit) {
    const { number, tag, description, capture } = version;
    const request = { number, tag, commit, tree: toTree, head, description, state: capture?.digest ?? null };
    const made = await mintVersion(session, request, signer);
    const ref = `refs/tags/${tag}`;
    return {
      after: made.pointer?.inForce ?? null,
      made,
      objects: [made.tag, ...(made.pointer ? [made.pointer.object] : [])],
      changes: [
        { ref, old: null, new: made.tag.id },
        ...(capture ? [{ ref: `refs/kai/state/${tag}`, old: null, new: capture.commit }] : []),
      ],
      files: [
        [`tags/${tag}`, made.tag.content],
        ["record.json", Buffer.from(`${made.line}\n`)],
        ...(made.pointer ? [["tags/current", made.pointer.object.content] as const] : []),
      ] as [string, Buffer][],
      details: { tag, version: number.text, hash: made.record.hash },
    };
  }
  const known = version as KnownVersion;
  const pointer = await makeCurrentTag(
    {
      version: known.number.text,
      tagName: known.tag,
      tag: known.tagId,
      commit: known.commit,
      agent: config.agent_id,
      repo: session.log.entry.repo,
      operation: session.id,
      at: session.at,
    },
    signer,
    repository.objectFormat,
  );
  return {
    after: pointer.inForce,
    made: undefined,
    objects: [pointer.object],
    changes: [],
    files: [["tags/current", pointer.object.content]] as [string, Buffer][],
    details: {},
  };
}

/** The record of a version that is made, on its own commit; else what is told of the version that is left, on that one's. */
async function noteFor(
  session: WritingSession,
  request: RestoreRequest,
  made: SealedRelease | undefined,
  commit: GitObject | undefined,
  signer: Signer,
) {
  const told = made && commit ? { commit: commit.id, lines: [made.line] } : undefined;
  const left =
    request.noteOn === undefined ? undefined : { commit: request.noteOn, lines: [noteLine(session, request, signer)] };
  const note = told ?? left;
  return note && { ...note, on: await readNote(session.reader, NOTES_REF, note.commit) };
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
