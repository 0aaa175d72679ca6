import { KaiError } from "../../error.js";
import type { GitObject } from "../../git/object.js";
import { ABSENT, type TreeChange } from "../../git/tree-diff.js";
import type { Operation } from "../../operation/operation.js";
import { readablePath } from "../../system/path-bytes.js";
import type { CreatedVersion } from "../../version/create.js";
import { liveStateOf } from "../../version/live-state.js";
import { findVersionConfig } from "../../version/version-config.js";
import { type Caller, type WritingSession, withWritingSession } from "../../version/writing-session.js";
import { claimed, scratchOf } from "../claim-snapshot.js";
import type { RefusedPath } from "../execution.js";
import { type ConfigsAround, type ExecutableChange, findExecutable } from "../ingest/executable-changes.js";
import { foldersOf } from "../ingest/folder-view.js";
import { namedByGit } from "../ingest/named-by-git.js";
import { refuseForCommit } from "../ingest/refuse-for-commit.js";
import { storeSnapshot } from "../save-snapshot.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import { type KnownSnapshot, SnapshotStore } from "../snapshot-store.js";
import { versionIgnores } from "../version-ignores.js";
import { whileStill } from "../while-still.js";
import { finishCommit } from "./finish-commit.js";
import { asRefused, leaveOut } from "./leave-out.js";
import { makeCommit } from "./make-commit.js";
import { nothingChanged, onTop, ownBranch, type Place } from "./place.js";
import { requireMessage } from "./require-message.js";

export interface CommitSnapshotRequest {
  readonly snapshot: string;
  /** `branch`: one of its own, to be reviewed. `apply`: onto the branch that is checked out. `version`: the same, and a version of it. */
  readonly into: "branch" | "apply" | "version";
  readonly message: string | undefined;
  /** Take changes of what later runs on a host. */
  readonly allowExecutable: boolean;
  /** Take what the version's .gitignore files ignore. */
  readonly includeIgnored: boolean;
  readonly dryRun: boolean;
  /** What the sandbox was told in confidence, where that is at hand: a file that holds it is refused. */
  readonly secrets?: readonly string[];
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
  /** What was left out, because the version's .gitignore files ignore it. */
  readonly ignored: readonly string[];
  /** The version that was made of it, or would be; null where none is asked for. */
  readonly created: CreatedVersion | null;
}

/**
 * Makes what a snapshot changed a signed commit: on a branch of its own, or on top of the one that is checked out, there also
 * as a version, all in one operation. It is the version's own configuration that decides, never what the sandbox made of it.
 * E102, E109, E113, E122, E125, E128, and of a version what `create` refuses.
 */
export function commitSnapshot(caller: Caller, request: CommitSnapshotRequest): Promise<CommittedSnapshot> {
  requireMessage(request.message);
  const beginning = { purpose: "snapshot commit", untracked: "no", statusLater: request.into === "branch" } as const;
  return withWritingSession(caller, beginning, async (session) => {
    const { repository } = session.agent;
    const store = new SnapshotStore(repository);
    const claim = { purpose: beginning.purpose, ...caller };
    return claimed(store, await store.find(request.snapshot), claim, async (known) => {
      const done = await whileStill(store, known, caller.env, () =>
        commit(session, store, known, request).catch((cause: unknown) => {
          throw withoutForce(cause);
        }),
      );
      if (done.commit !== null) {
        await finishCommit(store, known.record, done.commit, caller.env);
      }
      return done;
    });
  });
}

async function commit(
  session: WritingSession,
  store: SnapshotStore,
  known: KnownSnapshot,
  request: CommitSnapshotRequest,
): Promise<CommittedSnapshot> {
  const { agent, caller, lock } = session;
  const { record } = known;
  // While the files are read.
  const byGit = namedByGit(agent.repository);
  byGit.catch(() => {});
  const ignores = request.includeIgnored
    ? undefined
    : (paths: readonly string[]) => versionIgnores(session.reader, record.commit, paths);
  const scratch = scratchOf(store, record.id);
  const stored = await storeSnapshot(agent.repository, known, caller, {
    inherit: [lock.descriptor],
    reader: session.reader,
    secrets: request.secrets,
    ignores,
    refuse: (found) =>
      refuseForCommit(found, { repository: agent.repository, reader: session.reader, tree: record.tree, scratch }),
  });
  const { tree, changes, ignored, refused } = await leaveOut(session, record, stored, { ignores, scratch });
  if (changes.length === 0) throw nothingChanged(record.id, refused, ignored);
  const onto = request.into === "branch" ? null : await onTop(session, known, changes, request.into);
  const left = onto?.repositories ?? new Set<string>();
  const place = onto ?? (await ownBranch(session, known, { tree, changes }));
  const executable = await findExecutableChanges(session, known, tree, { ...place, byGit: await byGit });
  if (executable.length > 0 && !request.allowExecutable) throw wouldRun(record, executable);
  // Whoever is killed behind the commit point has it told by `recover`.
  if (!request.dryRun) await store.beginCommit(record.id, session.id);
  const told = {
    snapshot: record.id,
    version: record.version,
    branch: place.branch.replace(/^refs\/heads\//, ""),
    changed: changes.filter(({ path: name }) => !left.has(name)).map(asChanged),
    executable,
    refused: [...refused, ...asRefused(left)],
    ignored: ignored.map(readablePath),
  };
  if (request.into === "version" && onto !== null) {
    const { commitAsVersion } = await import("./commit-as-version.js");
    const created = await commitAsVersion(session, known, onto, request);
    const { operation } = created;
    return { ...told, operation, commit: operation === null ? null : created.commit, created };
  }
  if (request.dryRun) return { ...told, operation: null, commit: null, created: null };
  const signer = await session.openSigner("tester");
  const made = await makeCommit(session, known, { ...place, tree: place.tree ?? tree }, request.message, signer);
  await session.perform(operationFor(session, known, place, made, tree), signer);
  return { ...told, operation: session.id, commit: made.id, created: null };
}

const asChanged = ({ path: name, oldMode, newMode }: TreeChange): CommittedSnapshot["changed"][number] => ({
  path: readablePath(name),
  change: oldMode === ABSENT ? "added" : newMode === ABSENT ? "deleted" : "modified",
});

/** By the commands, and through the links, of the version, of what became of it, and of the branch that it is put on: there is no fourth kai.yaml in what comes out. */
async function findExecutableChanges(
  { reader, agent }: WritingSession,
  { record }: KnownSnapshot,
  tree: string,
  { changes, workTree, byGit }: Place & Pick<ConfigsAround, "byGit">,
): Promise<ExecutableChange[]> {
  const trees = [record.commit, tree, ...(workTree === undefined ? [] : [workTree])];
  const [before, after, onto] = await Promise.all(trees.map((each) => findVersionConfig(reader, each)));
  const configs = {
    before: before ?? agent.config,
    after: after ?? null,
    onto: workTree === undefined ? null : (onto ?? agent.config),
    byGit,
  };
  const paths = changes.map((change) => change.path);
  return findExecutable(
    paths,
    configs,
    trees.map((each) => foldersOf(reader, each)),
  );
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

/** Nothing of the user's is overwritten here, not by any option either. */
function withoutForce(cause: unknown): unknown {
  if (!(cause instanceof KaiError) || cause.code !== "E102" || !cause.hint?.includes("--force")) return cause;
  return new KaiError("E102", cause.message, {
    hint: "Nothing was changed. Move them away or commit them; without `--apply` and `--version` the commit is a branch of its own.",
    ...(cause.data && { data: cause.data }),
    cause,
  });
}

const wouldRun = ({ id, base, commit: of, tree }: SnapshotRecord, executable: readonly ExecutableChange[]): KaiError =>
  new KaiError(
    "E128",
    `The snapshot changed what later runs on a host: ${executable.map(({ path: name, reason }) => `${name} (${reason})`).join(", ")}.`,
    {
      hint: `\`git kai-version snapshot diff ${id} --patch\` shows it${base === null ? "" : `, \`git diff ${of.slice(0, 10)} ${tree.slice(0, 10)}\` what it began with`}; \`--allow-executable\` takes it all the same.`,
      data: { executable },
    },
  );
