import path from "node:path";
import { createClassifier } from "../agent/component.js";
import { parseAgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import { listRemotes } from "../git/network.js";
import { listRefs } from "../git/refs.js";
import { openRepository, type Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import { CURRENT_REF, LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { perform } from "../operation/perform.js";
import type { Recovered } from "../operation/recover.js";
import { withOperationLock } from "../operation/with-operation-lock.js";
import type { FileLock } from "../system/file-lock.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { digestOfEntry, findTrustRoot, type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { type Adopted, adoptAgent, findAgentRemote, findNews, pinLocalLog } from "./adopt-agent.js";
import { CONFIG_FILE, findConfigText } from "./agent-repository.js";
import { planFounding } from "./found-agent.js";
import { buildHistory } from "./history.js";
import { notPlain, planInitialFiles } from "./initial-files.js";
import { writePlainFile } from "./read-plain-file.js";
import { setRefspecs } from "./set-refspecs.js";
import { tagFormat } from "./tag-name.js";
import { readStatus, requireBranch } from "./work-tree-status.js";

export interface InitRequest {
  readonly agentId: string | undefined;
  /** Write the files and leave the commit to the user. */
  readonly commit: boolean;
  /** Found anew although a remote has a log. */
  readonly newRoot: boolean;
}

export interface InitCaller {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly progress: (message: string) => void;
  readonly onRecovered: (recovered: readonly Recovered[]) => void;
  /** The key to sign with, made where there is none. */
  readonly openOrMakeKey: (repository: Repository) => Promise<{ signer: Signer; made: boolean }>;
}

export interface InitResult {
  /**
   * `founded`: a new log. `adopted`: one that was fetched or was here unpinned. `updated`: the remote's went on from the one
   * here, and was taken in. `present`: nothing to do.
   */
  readonly outcome: "founded" | "adopted" | "updated" | "present";
  readonly agentId: string;
  readonly repoId: string;
  readonly trustRoot: { readonly entry: string; readonly digest: string; readonly origin: TrustRoot["origin"] };
  readonly key: { readonly fingerprint: string; readonly made: boolean } | null;
  readonly framework: string;
  readonly artifacts: Readonly<Record<string, number>>;
  readonly written: readonly string[];
  readonly commit: string | null;
  readonly untracked: readonly string[];
  readonly remotes: readonly string[];
  /** Tags that were here before: numbers they reserve, and those that stand for none. */
  readonly reserved: readonly string[];
  readonly skipped: readonly { readonly tag: string; readonly reason: string }[];
}

/** Puts a repository under version control by us: founds its log, or adopts the one that its remote has. */
export async function initAgent(caller: InitCaller, request: InitRequest): Promise<InitResult> {
  const repository = await openRepository(caller.cwd, caller.env);
  return withOperationLock(repository, "init", caller.onRecovered, async (lock) => {
    const { trust } = kaiFolderOf(repository);
    const known = await findTrustRoot(trust);
    const hasLog = (await listRefs(repository, [LOG_REF])).length > 0;
    if (hasLog && request.newRoot) throw logInTheWay();
    const remote = await findRemote(repository, caller, request, { hasLog, pinned: known !== undefined });
    if (remote !== undefined) {
      caller.progress(`Fetching the agent's log from ${remote}`);
      const taken = await adoptAgent(repository, caller.env, remote, known, [lock.descriptor]);
      return adopted(repository, caller, taken, hasLog && known ? "updated" : "adopted");
    }
    if (hasLog && known) return described(repository, { outcome: "present", root: known });
    if (hasLog) return adopted(repository, caller, await pinLocalLog(repository), "adopted");
    if (known && !request.newRoot) throw logGone();
    return found(repository, caller, request, lock);
  });
}

/** A log was here and was seen: another one is not founded in its place unasked. */
const logGone = (): KaiError =>
  new KaiError("E121", "The log that this clone has seen is gone, and no remote has it.", {
    hint: "Fetch it from a complete clone: `git fetch PATH refs/kai/log:refs/kai/log`. `--new-root` founds another one.",
  });

/** `--new-root` takes no log away that is here. */
const logInTheWay = (): KaiError =>
  new KaiError("E125", "A log is here already, and `--new-root` does not take it away.", {
    hint: "`git update-ref refs/kai/former-log refs/kai/log && git update-ref -d refs/kai/log` puts it aside; then run `git kai-version init --new-root` again.",
  });

/** The tag `current` that is here before there is a log: E125 unless a new root is asked for, which puts it aside. */
async function findStrayCurrent(repository: Repository, newRoot: boolean): Promise<string | undefined> {
  const stray = (await listRefs(repository, [CURRENT_REF]))[0]?.id;
  if (stray === undefined || newRoot) return stray;
  throw new KaiError("E125", "A tag `current` is here, and no log made it: git kai-version needs that name.", {
    hint: "Give it another name: `git tag NAME current && git tag -d current`. If it came with an agent, fetch that agent's log from a clone that has it; `git kai-version init --new-root` puts the tag aside and founds another log.",
  });
}

/** The remote to take a log, or more of it, from. */
async function findRemote(
  repository: Repository,
  caller: InitCaller,
  { newRoot }: InitRequest,
  { hasLog, pinned }: { hasLog: boolean; pinned: boolean },
): Promise<string | undefined> {
  if (newRoot) return undefined;
  if (hasLog) return findNews(repository, caller.env, { pinned, progress: caller.progress });
  return findAgentRemote(repository, caller.env);
}

async function adopted(
  repository: Repository,
  caller: InitCaller,
  { root, remote }: Adopted,
  outcome: "adopted" | "updated",
): Promise<InitResult> {
  const remotes = await setRefspecs(repository, remote === null ? [] : [remote]);
  caller.progress("Verified the log");
  return described(repository, { outcome, root, remotes });
}

async function found(
  repository: Repository,
  caller: InitCaller,
  request: InitRequest,
  lock: FileLock,
): Promise<InitResult> {
  const { workTree } = repository;
  if (workTree === undefined) {
    throw new KaiError("E125", "A bare repository has no working tree to write kai.yaml into.", {
      hint: "Run `git kai-version init` in a clone and push from there.",
    });
  }
  const strayCurrent = await findStrayCurrent(repository, request.newRoot);
  const here = { ...repository, workTree };
  const status = await readStatus(here, "all");
  caller.progress("Looking at the agent");
  const files = await planInitialFiles(here, status, request.agentId);
  const { signer, made } = await caller.openOrMakeKey(repository);
  const commits = request.commit && files.tree !== undefined;
  if (!commits) await writePlainly(here, files.changed);
  const operation = await planFounding(repository, {
    agentId: files.agentId,
    signer,
    strayCurrent,
    at: caller.now(),
    commit:
      commits && files.tree
        ? { branch: requireBranch(status), head: status.head, tree: files.tree, objects: files.objects }
        : undefined,
    worktree:
      commits && files.tree
        ? { from: files.from, to: files.tree.id, saved: files.own, isKept: (name) => files.untracked.includes(name) }
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
  return described(repository, {
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

type Particulars = Pick<InitResult, "outcome"> & { root: TrustRoot } & Partial<InitResult>;

/** Joins what was done with what the repository holds now. */
async function described(repository: Repository, { root, ...particulars }: Particulars): Promise<InitResult> {
  const text = await findConfigText(repository);
  const config = text === undefined ? undefined : parseAgentConfig(text, CONFIG_FILE);
  const format = tagFormat(config?.version_management.semantic_versioning.tag_format ?? "v{version}");
  const history = buildHistory(await listRefs(repository, ["refs/tags"]), [], format);
  return {
    agentId: config?.agent_id ?? "",
    repoId: root.repo,
    trustRoot: { entry: root.root, digest: root.digest, origin: root.origin },
    key: null,
    framework: "",
    artifacts: await countArtifacts(repository, config),
    written: [],
    commit: null,
    untracked: [],
    remotes: [],
    reserved: history.versions.filter((version) => version.type === "foreign").map((version) => version.number.text),
    skipped: history.skipped,
    ...particulars,
  };
}

async function countArtifacts(
  repository: Repository,
  config: ReturnType<typeof parseAgentConfig> | undefined,
): Promise<Record<string, number>> {
  const listed = await tryGit(
    repository,
    repository.bare ? ["ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD"] : ["ls-files", "-z"],
  );
  const counts: Record<string, number> = {};
  if (config === undefined || listed.exitCode !== 0) return counts;
  const componentOf = createClassifier(config.version_management.artifacts);
  for (const name of listed.stdout.toString("latin1").split("\0")) {
    if (name === "") continue;
    const component = componentOf(readablePath(name));
    counts[component] = (counts[component] ?? 0) + 1;
  }
  return counts;
}
