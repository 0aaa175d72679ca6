import { rm } from "node:fs/promises";
import path from "node:path";
import { createClassifier } from "../agent/component.js";
import type { Bump } from "../change/bump.js";
import { KaiError } from "../error.js";
import type { RefChange } from "../git/ref-transaction.js";
import { CURRENT_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Operation } from "../operation/operation.js";
import { type Capture, captureState } from "../state/capture-state.js";
import { findStateFiles } from "../state/find-state-files.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { buildRecord } from "./build-record.js";
import { DigestCache } from "./digest-cache.js";
import { findLfsPointers } from "./find-lfs-pointers.js";
import { hashTree } from "./hash-tree.js";
import { type IncludedChanges, includeChanges } from "./include-changes.js";
import { chooseNumber, comesIntoForce, type NumberPolicy } from "./next-number.js";
import type { VersionNumber } from "./number.js";
import { type PendingChanges, readPendingChanges } from "./pending-changes.js";
import { formatRecord, recordDigest, type VersionRecord, type VersionType } from "./record.js";
import { makeCurrentTag, makeSignedTag } from "./release-objects.js";
import { type TagName, tagFormat, tagNameFor } from "./tag-name.js";
import { checkDescription, formatVersionTag } from "./tag-text.js";
import {
  readStatus,
  requireBranch,
  requireCommit,
  requireWholeHistory,
  type WorkTreeStatus,
} from "./work-tree-status.js";
import type { WritingSession } from "./writing-session.js";
import { type Caller, withWritingSession } from "./writing-session.js";

export interface CreateRequest {
  readonly type: Exclude<VersionType, "rollback"> | undefined;
  readonly bump: Exclude<Bump, "none"> | undefined;
  readonly exact: VersionNumber | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly includeChanges: boolean;
  readonly allowUnchanged: boolean;
  readonly moveCurrent: boolean;
  readonly dryRun: boolean;
}

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
  /** State files captured, and those that were named and are no regular files. */
  readonly state: { readonly files: readonly string[]; readonly skipped: readonly string[] };
  readonly untracked: readonly string[];
  readonly operation: string | null;
}

/** Decided before anything is written. */
interface Decision {
  readonly status: WorkTreeStatus;
  readonly head: string;
  readonly branch: string | undefined;
  readonly pending: PendingChanges;
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly type: Exclude<VersionType, "rollback">;
  readonly current: boolean;
  readonly withChanges: boolean;
}

/** Makes a version of what the branch's commit holds: all of it, or nothing. */
export function createVersion(caller: Caller, request: CreateRequest): Promise<CreatedVersion> {
  return withWritingSession(caller, "create", async (session) => {
    caller.progress("Looking at what changed");
    const decision = await decide(session, request);
    if (request.dryRun) return foreseen(decision);
    const signer = await session.openSigner("releaser");
    const scratch = path.join(kaiFolderOf(session.agent.repository).staging, `create-${session.id}`);
    try {
      return await make(session, request, decision, signer, scratch);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

async function decide(session: WritingSession, request: CreateRequest): Promise<Decision> {
  const { repository, config } = session.agent;
  const settings = config.version_management.semantic_versioning;
  requireWholeHistory(repository);
  const status = await readStatus(repository);
  const head = requireCommit(status);
  const withChanges = request.includeChanges && (status.dirty.length > 0 || status.untracked.length > 0);
  const branch = withChanges ? requireBranch(status) : (status.branch ?? undefined);
  const componentOf = createClassifier(config.version_management.artifacts);
  const dirty = status.dirty.filter((name) => componentOf(readablePath(name)) !== "state");
  if (dirty.length > 0 && !request.includeChanges) throw notCommitted(dirty);
  const pending = await readPendingChanges(repository, session.history, head);
  if (!request.allowUnchanged && !withChanges) await requireNews(session, pending, head);
  const required = settings.change_detection ? pending.verdict.required : "none";
  const number = chooseNumber(session.history, pending.inForce, required, request, numberPolicy(settings));
  return {
    status,
    head,
    branch,
    pending,
    number,
    tag: tagNameFor(number, tagFormat(settings.tag_format)),
    type: request.type ?? "auto",
    current: request.moveCurrent && comesIntoForce(session.history, number),
    withChanges,
  };
}

/** What kai.yaml says of numbers. */
export function numberPolicy(settings: {
  auto_increment: string | boolean;
  compatibility_checking: boolean;
}): NumberPolicy {
  const { auto_increment: auto } = settings;
  return {
    autoIncrement: auto === false ? undefined : auto === true ? "patch" : (auto as Exclude<Bump, "none">),
    compatibilityChecking: settings.compatibility_checking,
  };
}

async function requireNews(session: WritingSession, pending: PendingChanges, head: string): Promise<void> {
  const { inForce } = pending;
  if (inForce === undefined) return;
  const [here, there] = await Promise.all(
    [head, inForce.commit].map((commit) => session.reader.find(`${commit}^{tree}`)),
  );
  if (here?.id !== there?.id) return;
  throw new KaiError("E109", `Nothing has changed since ${inForce.tag}.`, {
    hint: "Commit a change first; `--allow-unchanged` makes a version of the same content.",
  });
}

function notCommitted(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E102",
    `Files were changed and not committed: ${shown}${paths.length > 5 ? `, and ${paths.length - 5} more` : ""}.`,
    {
      hint: "Commit them with `git commit`, or let `--include-changes` do it.",
      data: { paths: paths.map(readablePath) },
    },
  );
}

function foreseen(decision: Decision): CreatedVersion {
  return {
    version: decision.number.text,
    tag: decision.tag,
    tagId: null,
    commit: decision.withChanges ? null : decision.head,
    hash: null,
    parent: decision.pending.inForce?.number.text ?? null,
    type: decision.type,
    required: decision.pending.verdict.required,
    current: decision.current,
    record: null,
    state: { files: [], skipped: [] },
    untracked: decision.status.untracked.map(readablePath),
    operation: null,
  };
}

async function make(
  session: WritingSession,
  request: CreateRequest,
  decision: Decision,
  signer: Signer,
  scratch: string,
): Promise<CreatedVersion> {
  const { agent, caller, reader, log, at, id } = session;
  const { repository, config } = agent;
  const description = checkDescription(request.description ?? `${decision.type} version ${decision.number.text}`);
  const included = await commitChanges(session, decision, description, signer, scratch);
  const commit = included?.commit.id ?? decision.head;
  const tree = included?.tree ?? decision.head;

  caller.progress("Hashing the version's files");
  const cache = await DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat);
  const [hashed, capture] = await Promise.all([
    hashTree(repository, tree, cache),
    captureFor(session, decision.tag, signer, path.join(scratch, "state")),
  ]);
  const record = buildRecord({
    id,
    agent: config.agent_id,
    repo: log.entry.repo,
    number: decision.number,
    tag: decision.tag,
    type: decision.type,
    commit,
    pending: decision.pending,
    at,
    signer,
    notes: description,
    tags: request.tags,
    hashed,
    lfs: await findLfsPointers(repository, reader, tree, hashed.files),
    state: capture?.digest ?? null,
    config,
  });
  const line = formatRecord(record);
  const tag = await makeSignedTag(
    {
      name: decision.tag,
      commit,
      at,
      message: formatVersionTag({
        description,
        changelog: record.changelog.map(changelogLine),
        agent: record.agent,
        repo: record.repo,
        type: record.type,
        parent: record.parent,
        hash: record.hash,
        record: recordDigest(line),
        state: record.checksums.state,
      }),
    },
    signer,
    repository.objectFormat,
  );
  const pointer = decision.current
    ? await makeCurrentTag(
        {
          version: record.version,
          tagName: record.tag,
          tag: tag.id,
          commit,
          agent: record.agent,
          repo: record.repo,
          operation: id,
          at,
        },
        signer,
        repository.objectFormat,
      )
    : undefined;

  caller.progress("Writing the version");
  const changes: RefChange[] = [{ ref: `refs/tags/${decision.tag}`, old: null, new: tag.id }];
  const before = session.history.current;
  if (pointer) changes.push({ ref: CURRENT_REF, old: before?.pointer ?? null, new: pointer.object.id });
  if (capture) changes.push({ ref: `refs/kai/state/${decision.tag}`, old: null, new: capture.commit.id });
  if (included && decision.branch) changes.push({ ref: decision.branch, old: decision.head, new: included.commit.id });
  const files = new Map(log.files);
  files.set(`tags/${decision.tag}`, tag.content);
  files.set("record.json", Buffer.from(`${line}\n`));
  if (pointer) files.set("tags/current", pointer.object.content);
  const operation: Operation = {
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
    note: { commit, lines: [line] },
    index: included?.index,
  };
  await session.perform(operation, signer);
  return {
    version: record.version,
    tag: decision.tag,
    tagId: tag.id,
    commit,
    hash: record.hash,
    parent: record.parent,
    type: record.type,
    required: decision.pending.verdict.required,
    current: decision.current,
    record,
    state: { files: capture?.manifest.files.map((file) => file.path) ?? [], skipped: capture?.skipped ?? [] },
    untracked: included ? [] : decision.status.untracked.map(readablePath),
    operation: id,
  };
}

async function commitChanges(
  session: WritingSession,
  decision: Decision,
  message: string,
  signer: Signer,
  scratch: string,
): Promise<IncludedChanges | undefined> {
  const { workTree } = session.agent.repository;
  if (!decision.withChanges || workTree === undefined) return undefined;
  const inherit = [session.lock.descriptor];
  const request = { head: decision.head, message, at: session.at, scratch, inherit };
  return includeChanges({ ...session.agent.repository, workTree }, request, signer);
}

async function captureFor(
  session: WritingSession,
  tag: TagName,
  signer: Signer,
  scratch: string,
): Promise<Capture | undefined> {
  const { repository, config } = session.agent;
  if (repository.workTree === undefined) return undefined;
  const files = await findStateFiles(repository, config.version_management.artifacts.state.include);
  if (files.length === 0) return undefined;
  session.caller.progress("Capturing the agent's state");
  return captureState(
    { ...repository, workTree: repository.workTree },
    { files, tag, who: signer, at: session.at, scratch, inherit: [session.lock.descriptor] },
  );
}

const changelogLine = (entry: { type: string; scope: string | null; description: string; breaking: boolean }): string =>
  `${entry.type}${entry.scope === null ? "" : `(${entry.scope})`}${entry.breaking ? "!" : ""}: ${entry.description}`;
