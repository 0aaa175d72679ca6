import path from "node:path";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { commitIsNotHere } from "../git/tree-of.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { kaiHome } from "../trust/key-store.js";
import { CONFIG_FILE } from "../version/agent-repository.js";
import { findAsked } from "../version/find-asked.js";
import { type History, type KnownVersion, versionInForce } from "../version/history.js";
import type { VersionNumber } from "../version/number.js";
import type { AgentHistory } from "../version/reading.js";
import { ownTempDir } from "./sandbox/sandbox-folder.js";
import { tempDirOf } from "./sandbox/temp-dir-of.js";

/** What a snapshot is of: a version, or a commit that is none. That is called by the beginning of its id, and has no tag object. */
export interface Tried extends Pick<KnownVersion, "commit" | "parent"> {
  readonly number: Pick<VersionNumber, "text">;
  readonly tag: string;
  readonly tagId: string | null;
}

/** A version or commit, and all that a snapshot over it is decided by: its own configuration, not what the working tree has now. */
export interface SnapshotGround extends AgentHistory {
  readonly repository: Repository;
  readonly version: Tried;
  /** Object id of its tree. */
  readonly tree: string;
  readonly config: AgentConfig;
  /** False where the version has no kai.yaml; `config` is the agent's of today then. */
  readonly hasConfig: boolean;
}

/** E101 and E107 for what is neither a version nor a commit, E106 where its kai.yaml cannot be read, E125 where its commit is not here. */
export async function readGround(known: AgentHistory, asked: string): Promise<SnapshotGround> {
  const { repository } = known.agent;
  const version = await findTried(repository, known.history, asked);
  const { tree, config: blob } = await readCommitted(repository, version.commit);
  const name = `${version.tag}:${CONFIG_FILE}`;
  const config = blob ? await loadAgentConfig(decodeConfig(blob, name), name) : known.agent.config;
  return { ...known, repository, version, tree, config, hasConfig: blob !== undefined };
}

/** A commit's tree and the bytes of its kai.yaml, undefined where it has none; both from one git. */
async function readCommitted(
  repository: Repository,
  commit: string,
): Promise<{ readonly tree: string; readonly config: Buffer | undefined }> {
  const reader = new ObjectReader(repository);
  try {
    const [made, config] = await Promise.all([reader.find(commit), reader.find(`${commit}:${CONFIG_FILE}`)]);
    const tree = made?.type === "commit" ? /^tree (?<id>[0-9a-f]+)\n/.exec(made.content.toString("latin1")) : null;
    if (!tree?.groups) throw commitIsNotHere(commit);
    return { tree: tree.groups["id"] ?? "", config: config?.type === "blob" ? config.content : undefined };
  } finally {
    reader.close();
  }
}

/** What a user named: a version as everywhere, else a commit as git names it. */
async function findTried(repository: Repository, history: History, asked: string): Promise<Tried> {
  try {
    return findAsked(history, asked);
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E107") throw cause;
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${withSnapshotId(asked)}^{commit}`];
    const found = await tryGit(repository, args);
    if (found.exitCode !== 0) throw cause;
    const commit = found.stdout.toString().trim();
    const name = commit.slice(0, SHOWN_DIGITS);
    const parent = versionInForce(history)?.number.text ?? null;
    return { number: { text: name }, tag: name, tagId: null, commit, parent };
  }
}

/** The ref of a save or a branch of a snapshot, its id in small letters too. */
const withSnapshotId = (asked: string): string =>
  asked.replace(/(?<=(?:^|\/)kai\/snapshots?\/)[0-9a-z]{26}$/i, (id) => id.toUpperCase());

const SHOWN_DIGITS = 10;

/** Places on this machine: for what is kept of it, and for the folders of sandboxes. */
export interface Places {
  /** Our own folder in the git common dir. */
  readonly kaiDir: string;
  readonly cacheDir: string;
  readonly tempDir: string;
}

/** For a snapshot of a version whose kai.yaml that is; what that opens was judged. */
export const placesOf = async (repository: Repository, config: AgentConfig, env: NodeJS.ProcessEnv): Promise<Places> =>
  placesWith(repository, await ownTempDir(tempDirOf(config, repository)), env);

/** The same with another place for the folders of sandboxes. */
export const placesWith = (repository: Repository, tempDir: string, env: NodeJS.ProcessEnv): Places => ({
  kaiDir: kaiFolderOf(repository).root,
  cacheDir: path.join(kaiHome(env), "cache"),
  tempDir,
});
