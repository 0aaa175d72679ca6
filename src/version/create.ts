import { rm } from "node:fs/promises";
import path from "node:path";
import type { Bump } from "../change/bump.js";
import type { GitObject } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Operation } from "../operation/operation.js";
import type { WorktreeChange } from "../operation/stage-worktree.js";
import { sweepStore } from "../state/state-store.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import type { Standstill } from "./copy-standing-still.js";
import { type CreateRequest, type Decision, decideCreation } from "./decide-creation.js";
import { type ForeseenState, foreseeState } from "./foreseen-state.js";
import { type Forgetting, findForgetting } from "./forget-beyond.js";
import { type StartedHash, startHashOfHead } from "./hash-tree.js";
import { makeRelease, type Release } from "./make-release.js";
import type { VersionRecord, VersionType } from "./record.js";
import type { TagName } from "./tag-name.js";
import { type Caller, type WritingSession, withWritingSession } from "./writing-session.js";

/** What `create` will do, or did. */
export interface CreatedVersion {
  readonly version: string;
  readonly tag: TagName;
  /** Null in a dry run. */
  readonly tagId: string | null;
  /** Null in a dry run that would make a commit of the changes first. */
  readonly commit: string | null;
  readonly hash: string | null;
  readonly parent: string | null;
  readonly type: VersionType;
  readonly required: Bump;
  readonly current: boolean;
  readonly record: VersionRecord | null;
  readonly state: CreatedState;
  readonly untracked: readonly string[];
  readonly operation: string | null;
}

export interface CreatedState extends Standstill {
  /** Captured. */
  readonly files: readonly string[];
  /** Named as state, and no regular files. */
  readonly skipped: readonly string[];
  /** Those that git tracks: files of the version, which a rollback leaves as they are. */
  readonly tracked: readonly string[];
  /** Whether all of it is of one moment; null where nothing was captured. */
  readonly consistent: boolean | null;
  /** Whether the agent may be stopped for a moment where it writes meanwhile; null where it is done. */
  readonly mayStop: boolean | null;
  /** Versions whose state `artifacts.state.keep` gave up. */
  readonly forgotten: readonly string[];
}

/** A commit on top of HEAD that was made for a version, and becomes the branch's with it. It is in the repository, and no ref names it. */
export interface BroughtCommit {
  readonly commit: GitObject;
  readonly branch: string;
  /** What the branch is at before. */
  readonly previous: string;
  readonly worktree: WorktreeChange;
  /** Whose key signed it; undefined in a dry run. */
  readonly signer: Signer | undefined;
  /** What the log's entry says of it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Is asked before a version is made, and refuses by throwing. */
export type ReleaseGate = (session: WritingSession, decision: Decision) => Promise<void>;

const NOTHING_FORGOTTEN: Forgetting = { versions: [], changes: [] };

/** Makes a version of what the branch's commit holds, all of it or nothing, where the gate lets it. */
export function createVersionBehind(
  caller: Caller,
  request: CreateRequest,
  gate: ReleaseGate,
): Promise<CreatedVersion> {
  let started: Promise<StartedHash | undefined> = Promise.resolve(undefined);
  const onLocked = (repository: Repository, reader: ObjectReader) => {
    if (request.dryRun) return;
    started = startHashOfHead(repository, reader);
    // Whoever goes on with it is told of a failure.
    started.catch(() => {});
  };
  return withWritingSession(caller, { purpose: "create", untracked: "normal", onLocked }, async (session) => {
    caller.progress("Looking at what changed");
    const decision = await decideCreation(session, request);
    await gate(session, decision);
    if (request.dryRun) return foreseen(decision, await foreseeState(session, request));
    return makeVersion(session, request, decision, { signer: await session.openSigner("releaser"), started });
  });
}

/** The same of a commit that is brought along, in a session that has begun: both come into being as one operation. */
export async function createOfBrought(
  session: WritingSession,
  request: CreateRequest,
  gate: ReleaseGate,
  brought: BroughtCommit,
): Promise<CreatedVersion> {
  const { commit, signer } = brought;
  const decision = await decideCreation(session, request, commit.id);
  await gate(session, decision);
  if (signer === undefined) return foreseen(decision, await foreseeState(session, request));
  return makeVersion(session, request, decision, { signer, started: undefined, brought });
}

interface Making {
  readonly signer: Signer;
  readonly started: Promise<StartedHash | undefined> | undefined;
  readonly brought?: BroughtCommit;
}

async function makeVersion(
  session: WritingSession,
  request: CreateRequest,
  decision: Decision,
  { signer, started, brought }: Making,
): Promise<CreatedVersion> {
  const { repository } = session.agent;
  const scratch = path.join(kaiFolderOf(repository).staging, `create-${session.id}`);
  try {
    const release = await makeRelease(session, request, decision, signer, scratch, await started);
    const forgets = release.capture !== undefined && !request.forgetsNothing;
    const forgetting = forgets ? await findForgetting(session, decision.current) : NOTHING_FORGOTTEN;
    session.caller.progress("Writing the version");
    const operation = operationFor(session, decision, release, forgetting);
    await session.perform(brought === undefined ? operation : withBrought(operation, brought), signer);
    // It has happened; what a sweep leaves now the next one takes.
    if (release.capture) await sweepStore(repository, session.reader).catch(() => 0);
    return created(session, decision, release, forgetting);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The branch moves to the commit instead of being held where it is, and the working tree with it; `undo` finds where it was. */
const withBrought = (
  operation: Operation,
  { commit, branch, previous, worktree, details }: BroughtCommit,
): Operation => ({
  ...operation,
  details: { ...operation.details, previousHead: previous, ...details },
  objects: [...operation.objects, commit],
  changes: [...operation.changes, { ref: branch, old: previous, new: commit.id }],
  held: [],
  worktree,
});

function foreseen(decision: Decision, state: ForeseenState): CreatedVersion {
  return {
    version: decision.number.text,
    tag: decision.tag,
    tagId: null,
    commit: decision.withChanges ? null : decision.head,
    hash: null,
    parent: decision.pending.inForce?.number.text ?? null,
    type: decision.type,
    required: decision.required,
    current: decision.current,
    record: null,
    state: { ...state, tracked: [], consistent: null, stopped: null, forgotten: [] },
    untracked: decision.status.untracked.map(readablePath),
    operation: null,
  };
}

/** All that a new version puts into the repository, as one operation. */
function operationFor(
  session: WritingSession,
  decision: Decision,
  release: Release,
  forgetting: Forgetting,
): Operation {
  const { log, at, id, history } = session;
  const { record, tag, pointer, capture, included } = release;
  const { commit } = record;
  const before = history.current;
  const changes: RefChange[] = [{ ref: `refs/tags/${decision.tag}`, old: null, new: tag.id }];
  if (pointer) changes.push({ ref: CURRENT_REF, old: before?.pointer ?? null, new: pointer.object.id });
  if (capture) changes.push({ ref: `refs/kai/state/${decision.tag}`, old: null, new: capture.commit.id });
  changes.push(...forgetting.changes);
  if (included && decision.branch) changes.push({ ref: decision.branch, old: decision.head, new: commit });
  const files = new Map(log.files);
  files.set(`tags/${decision.tag}`, tag.content);
  files.set("record.json", Buffer.from(`${release.line}\n`));
  if (pointer) files.set("tags/current", pointer.object.content);
  return {
    id,
    repo: log.entry.repo,
    kind: "create",
    subject: `create ${decision.tag}`,
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before, after: pointer ? pointer.inForce : before },
    details: { version: record.version, tag: decision.tag, commit, head: commit, hash: record.hash },
    objects: [
      tag,
      ...(pointer ? [pointer.object] : []),
      ...(capture?.objects ?? []),
      ...(included ? [included.commit] : []),
    ],
    changes,
    held: included || !decision.branch ? [] : [{ ref: decision.branch, old: decision.head, new: decision.head }],
    files,
    note: { commit, lines: [release.line], on: release.note },
    index: included?.index,
  };
}

function created(
  session: WritingSession,
  decision: Decision,
  release: Release,
  forgetting: Forgetting,
): CreatedVersion {
  const { record, capture } = release;
  return {
    version: record.version,
    tag: decision.tag,
    tagId: release.tag.id,
    commit: record.commit,
    hash: record.hash,
    parent: record.parent,
    type: record.type,
    required: decision.required,
    current: decision.current,
    record,
    state: {
      files: capture?.manifest.files.map((file) => file.path) ?? [],
      skipped: capture?.skipped ?? [],
      tracked: release.trackedState,
      consistent: capture?.manifest.consistent ?? null,
      stopped: release.standstill?.stopped ?? null,
      notStopped: release.standstill?.notStopped ?? null,
      mayStop: null,
      forgotten: forgetting.versions,
    },
    untracked: release.included ? [] : decision.status.untracked.map(readablePath),
    operation: session.id,
  };
}
