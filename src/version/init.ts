import path from "node:path";
import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { listRemotes } from "../git/network.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readLog } from "../operation/log.js";
import { perform } from "../operation/perform.js";
import type { Recovered } from "../operation/recover.js";
import { withOperationLock } from "../operation/with-operation-lock.js";
import type { FileLock } from "../system/file-lock.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { digestOfEntry, type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { type Adopted, adoptAgent, pinLocalLog } from "./adopt-agent.js";
import { decideInit } from "./decide-init.js";
import { planFounding } from "./found-agent.js";
import { describeInitialised, type InitResult, requireAgentId } from "./init-result.js";
import { notPlain } from "./initial-files.js";
import { type FoundingWish, prepareFounding } from "./prepare-founding.js";
import { writePlainFile } from "./read-plain-file.js";
import { type RebuildRequest, type Rebuilt, rebuildProjection } from "./rebuild-projection.js";
import { planRewrittenConfig } from "./rewrite-config.js";
import { setRefspecs } from "./set-refspecs.js";

export interface InitCaller {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly progress: (message: string) => void;
  readonly onRecovered: (recovered: readonly Recovered[]) => void;
  /** The key to sign with, made where there is none. */
  readonly openOrMakeKey: (repository: Repository) => Promise<{ signer: Signer; made: boolean }>;
}

/** Puts a repository under version control by us: founds its log, or adopts the one that its remote has. */
export async function initAgent(caller: InitCaller, wish: FoundingWish): Promise<InitResult> {
  const repository = await openRepository(caller.cwd, caller.env);
  return withOperationLock(repository, { ...caller, purpose: "init" }, async (lock) => {
    const way = await decideInit(repository, caller, wish.newRoot);
    if (way.kind !== "found") await requireAgentId(repository, wish.agentId);
    if (way.kind === "fetch") {
      caller.progress(`Fetching the agent's log from ${way.remote}`);
      const taken = await adoptAgent(repository, caller.env, way.remote, way.known, [lock.descriptor]);
      return adopted(repository, caller, lock, taken, way.outcome);
    }
    if (way.kind === "present") return present(repository, wish, way.root);
    if (way.kind === "pin") return adopted(repository, caller, lock, await pinLocalLog(repository), "adopted");
    return found(repository, caller, wish, lock);
  });
}

/** Nothing is to do but to write a kai.yaml that is gone and that no version has. */
async function present(repository: Repository, wish: FoundingWish, root: TrustRoot): Promise<InitResult> {
  const files = await planRewrittenConfig(repository, wish.agentId);
  const { workTree } = repository;
  if (files === undefined || workTree === undefined)
    return describeInitialised(repository, { outcome: "present", root });
  await writePlainly({ ...repository, workTree }, files.changed);
  const written = files.changed.map((file) => readablePath(file.path));
  return describeInitialised(repository, { outcome: "present", root, framework: files.framework, written });
}

async function adopted(
  repository: Repository,
  caller: InitCaller,
  lock: FileLock,
  { root, remote }: Adopted,
  outcome: "adopted" | "updated",
): Promise<InitResult> {
  const remotes = await setRefspecs(repository, remote === null ? [] : [remote]);
  caller.progress("Verified the log");
  const at = caller.now();
  const rebuilt = await rebuildFrom(repository, { id: ulid(at.getTime()), at, inherit: [lock.descriptor] });
  return describeInitialised(repository, { outcome, root, remote, remotes, rebuilt });
}

async function rebuildFrom(repository: Repository, request: RebuildRequest): Promise<Rebuilt> {
  const reader = new ObjectReader(repository);
  try {
    return await rebuildProjection(repository, reader, await readLog(repository), request);
  } finally {
    reader.close();
  }
}

async function found(
  repository: Repository,
  caller: InitCaller,
  wish: FoundingWish,
  lock: FileLock,
): Promise<InitResult> {
  const {
    repository: here,
    status,
    files,
    strayCurrent,
    branch,
  } = await prepareFounding(repository, caller.progress, wish);
  const { tree } = files;
  const { signer, made } = await caller.openOrMakeKey(repository);
  const commits = branch !== undefined && tree !== undefined;
  if (!commits) await writePlainly(here, files.changed);
  const operation = await planFounding(repository, {
    agentId: files.agentId,
    signer,
    strayCurrent,
    at: caller.now(),
    commit: commits ? { branch, head: status.head, tree, objects: files.objects } : undefined,
    worktree: commits
      ? { from: files.from, to: tree.id, saved: files.own, isKept: (name) => files.untracked.includes(name) }
      : undefined,
  });
  const performed = await perform(repository, lock, operation, signer);
  const raw = await readEntryBytes(repository, performed.entry);
  const root: TrustRoot = {
    format: "kai-trust/1",
    root: performed.entry,
    digest: digestOfEntry(raw),
    repo: operation.repo,
    origin: "founded",
    seen: performed.entry,
  };
  const { trust } = kaiFolderOf(repository);
  await writeTrustRoot(trust, root).catch((cause: Error) => {
    throw notPinned(trust, cause);
  });
  const remotes = await listRemotes(repository);
  return describeInitialised(repository, {
    outcome: "founded",
    root,
    key: { fingerprint: signer.fingerprint, made },
    framework: files.framework,
    written: files.changed.map((file) => readablePath(file.path)),
    commit: operation.commit,
    untracked: files.untracked.map(readablePath),
    remotes,
  });
}

/** The log is founded by now, and a log is not taken back. */
const notPinned = (file: string, cause: Error): KaiError =>
  new KaiError("E118", `The agent's log is founded, but its pin ${file} could not be written: ${cause.message}`, {
    hint: "Free some space or mend the permissions, then run `git kai-version init` again: it pins the log that is here.",
    cause,
  });

async function writePlainly(
  repository: Repository & { workTree: string },
  files: readonly { path: string; content: Buffer }[],
): Promise<void> {
  for (const file of files) {
    if (!(await writePlainFile(path.join(repository.workTree, file.path), file.content))) throw notPlain(file.path);
  }
}

async function readEntryBytes(repository: Repository, entry: string): Promise<Buffer> {
  return runGit(repository, ["cat-file", "commit", entry]);
}
