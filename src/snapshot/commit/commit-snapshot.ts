import { rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import { changeTree, treePathOf } from "../../git/change-tree.js";
import { formatCommitPayload, formatSignedCommit } from "../../git/commit-object.js";
import { type GitObject, makeObject } from "../../git/object.js";
import { ABSENT, diffTrees, type TreeChange } from "../../git/tree-diff.js";
import { kaiFolderOf } from "../../operation/kai-folder.js";
import type { Operation } from "../../operation/operation.js";
import { makeFolder } from "../../system/durable-file.js";
import { readablePath } from "../../system/path-bytes.js";
import type { Signer } from "../../trust/signer.js";
import { liveStateOf } from "../../version/live-state.js";
import { requireMovableBranch } from "../../version/movable-branch.js";
import { findVersionConfig } from "../../version/version-config.js";
import { requireCommit } from "../../version/work-tree-status.js";
import { type Caller, type WritingSession, withWritingSession } from "../../version/writing-session.js";
import { takeContainerAway } from "../end-snapshot.js";
import type { RefusedPath } from "../execution.js";
import { type ExecutableChange, findExecutable } from "../ingest/executable-changes.js";
import { storeSnapshot } from "../save-snapshot.js";
import { type KnownSnapshot, SnapshotStore } from "../snapshot-store.js";
import { whileStill } from "../while-still.js";
import { mergeOnto } from "./merge-onto.js";

export interface CommitSnapshotRequest {
  readonly snapshot: string;
  /** `branch`: one of its own, to be reviewed. `apply`: onto the branch that is checked out. */
  readonly into: "branch" | "apply";
  readonly message: string | undefined;
  /** Take changes of what later runs on a host. */
  readonly allowExecutable: boolean;
  readonly dryRun: boolean;
}

export interface CommittedSnapshot {
  readonly snapshot: string;
  readonly version: string;
  readonly operation: string | null;
  /** Null in a dry run. */
  readonly commit: string | null;
  /** The branch that has it. */
  readonly branch: string;
  readonly changed: readonly { readonly path: string; readonly change: "added" | "modified" | "deleted" }[];
  readonly executable: readonly ExecutableChange[];
  readonly refused: readonly RefusedPath[];
}

/**
 * Makes what a snapshot changed a signed commit: on a branch of its own, or on top of the one that is checked out. It is the
 * version's own configuration that decides, never what the sandbox made of it. E102, E109, E113, E128.
 */
export function commitSnapshot(caller: Caller, request: CommitSnapshotRequest): Promise<CommittedSnapshot> {
  return withWritingSession(caller, { purpose: "snapshot commit", untracked: "no" }, async (session) => {
    const { repository } = session.agent;
    const store = new SnapshotStore(repository);
    const known = await store.find(request.snapshot);
    const done = await whileStill(known, caller.env, () => commit(session, known, request));
    if (done.commit !== null) {
      await store.write({ ...known.record, status: "committed", committed: done.commit, reason: null });
      await takeContainerAway(known.record, caller.env);
    }
    return done;
  });
}

async function commit(
  session: WritingSession,
  known: KnownSnapshot,
  request: CommitSnapshotRequest,
): Promise<CommittedSnapshot> {
  const { agent, caller, lock } = session;
  const { record } = known;
  const { tree, refused } = await storeSnapshot(agent.repository, known, caller.env, [lock.descriptor]);
  // Of a layered one, what its base had changed is among it.
  const began = (await session.reader.find(`${record.commit}^{tree}`))?.id ?? record.tree;
  const changes = await diffTrees(agent.repository, began, tree);
  if (changes.length === 0) throw nothingChanged(record.id, refused);
  const executable = await findExecutableChanges(session, record.commit, tree, changes);
  if (executable.length > 0 && !request.allowExecutable) throw wouldRun(executable);
  const place = request.into === "branch" ? ownBranch(known) : await onTop(session, known, changes);
  const told = {
    snapshot: record.id,
    version: record.version,
    branch: place.branch.replace(/^refs\/heads\//, ""),
    changed: changes.map(({ path: name, oldMode, newMode }) => ({
      path: readablePath(name),
      change:
        oldMode === ABSENT ? ("added" as const) : newMode === ABSENT ? ("deleted" as const) : ("modified" as const),
    })),
    executable,
    refused,
  };
  if (request.dryRun) return { ...told, operation: null, commit: null };
  const signer = await session.openSigner("tester");
  const made = await signedCommit(session, known, { ...place, tree: place.tree ?? tree }, request.message, signer);
  await session.perform(operationFor(session, known, place, made, tree), signer);
  return { ...told, operation: session.id, commit: made.id };
}

/** Where the commit goes. */
interface Place {
  readonly branch: string;
  /** What the branch is at now; null where it is new. */
  readonly old: string | null;
  readonly parent: string;
  /** The tree of the commit; undefined: the snapshot's own. */
  readonly tree?: string;
  /** The tree that the working tree has now; undefined where it stays as it is. */
  readonly workTree?: string;
}

const ownBranch = ({ record }: KnownSnapshot): Place => ({
  branch: `refs/heads/kai/snapshot/${record.id.toLowerCase()}`,
  old: null,
  parent: record.commit,
});

/** On top of HEAD, path by path: E102 where files are dirty, E128 where both changed one. */
async function onTop(
  session: WritingSession,
  { record }: KnownSnapshot,
  theirs: readonly TreeChange[],
): Promise<Place> {
  const { agent, reader, lock, id } = session;
  const { repository, config } = agent;
  const status = await session.status;
  const head = requireCommit(status);
  const branch = await requireMovableBranch(repository, status);
  const isLiveState = liveStateOf(config);
  const dirty = status.dirty.filter((name) => !isLiveState(name));
  if (dirty.length > 0) throw notCommitted(dirty);
  const headTree = (await reader.find(`${head}^{tree}`))?.id ?? "";
  const merged = mergeOnto(await diffTrees(repository, record.commit, headTree), theirs);
  if (merged.conflicts.length > 0) throw bothChanged(record.id, merged.conflicts);
  if (merged.changes.length === 0) throw nothingChanged(record.id, []);
  const scratch = path.join(kaiFolderOf(repository).staging, `snapshot-${id}`);
  const paths = merged.changes.map(treePathOf);
  await makeFolder(scratch);
  const together = await changeTree(repository, headTree, paths, scratch, [lock.descriptor]).finally(() =>
    rm(scratch, { recursive: true, force: true }),
  );
  return { branch, old: head, parent: head, tree: together, workTree: headTree };
}

async function findExecutableChanges(
  { reader, agent }: WritingSession,
  commit: string,
  tree: string,
  changes: readonly TreeChange[],
): Promise<ExecutableChange[]> {
  const before = (await findVersionConfig(reader, commit)) ?? agent.config;
  const paths = changes.map((change) => change.path);
  return findExecutable(paths, before, await findVersionConfig(reader, tree));
}

async function signedCommit(
  { agent, at, id }: WritingSession,
  { record }: KnownSnapshot,
  { tree, parent }: { tree: string; parent: string },
  message: string | undefined,
  signer: Signer,
): Promise<GitObject> {
  const { objectFormat } = agent.repository;
  const subject = message ?? `Changes of a snapshot of ${record.tag}`;
  const trailers = `Kai-Operation: ${id}\nKai-Snapshot: ${record.id}\nKai-Version: ${record.version}`;
  const payload = formatCommitPayload({
    tree,
    parents: [parent],
    who: signer,
    at,
    message: `${subject.trimEnd()}\n\n${trailers}`,
  });
  return makeObject("commit", formatSignedCommit(payload, await signer.sign(payload, at), objectFormat), objectFormat);
}

function operationFor(
  session: WritingSession,
  { record }: KnownSnapshot,
  place: Place,
  made: GitObject,
  tree: string,
): Operation {
  const { log, at, id, history, agent } = session;
  const { branch, old, workTree } = place;
  const moved = workTree === undefined ? {} : { head: made.id, previousHead: old, commit: made.id };
  return {
    id,
    repo: log.entry.repo,
    kind: "snapshot",
    subject: `commit a snapshot of ${record.tag}`,
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before: history.current, after: history.current },
    details: { snapshot: record.id, of: record.version, branch, ...moved },
    objects: [made],
    changes: [{ ref: branch, old, new: made.id }],
    held: [],
    files: log.files,
    worktree:
      workTree === undefined
        ? undefined
        : { from: workTree, to: place.tree ?? tree, saved: new Set(), isKept: liveStateOf(agent.config) },
  };
}

const nothingChanged = (id: string, refused: readonly RefusedPath[]): KaiError =>
  new KaiError("E109", `The snapshot ${id} changed nothing that could be committed.`, {
    hint:
      refused.length === 0
        ? "`git kai-version snapshot diff` shows what differs."
        : `${refused.length} paths were refused: \`git kai-version snapshot diff ${id}\` says why.`,
    data: { refused },
  });

const wouldRun = (executable: readonly ExecutableChange[]): KaiError =>
  new KaiError(
    "E128",
    `The snapshot changed what later runs on a host: ${executable.map(({ path: name, reason }) => `${name} (${reason})`).join(", ")}.`,
    {
      hint: "Look at it with `git kai-version snapshot diff`; `--allow-executable` takes it all the same.",
      data: { executable },
    },
  );

function bothChanged(id: string, conflicts: readonly string[]): KaiError {
  const shown = conflicts.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E128",
    `The branch and the snapshot both changed ${shown}${conflicts.length > 5 ? ", …" : ""}.`,
    {
      hint: `Nothing was changed. \`git kai-version snapshot commit ${id}\` makes a branch of it, which git merges as any other.`,
      data: { conflicts: conflicts.map(readablePath) },
    },
  );
}

function notCommitted(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError("E102", `Files were changed and not committed: ${shown}${paths.length > 5 ? ", …" : ""}.`, {
    hint: "Commit them with `git commit`, or leave out `--apply`.",
    data: { paths: paths.map(readablePath) },
  });
}
