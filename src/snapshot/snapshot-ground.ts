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
import { findSaveBegunWith, type SaveBegunWith, versionIsNotHere } from "./save-begun-with.js";

/** What a snapshot is of: a version, or a commit that is none. That is called by the beginning of its id, and has no tag object. */
export interface Tried extends Pick<KnownVersion, "commit" | "parent"> {
  readonly number: Pick<VersionNumber, "text">;
  readonly tag: string;
  readonly tagId: string | null;
}

/** A version or commit, and all that a snapshot over it is decided by: its own configuration, not what the working tree has now. */
export interface SnapshotGround extends AgentHistory {
  readonly repository: Repository;
  /** Of a save the one that its snapshot was of: what a sandbox made of a kai.yaml decides nothing. */
  readonly version: Tried;
  /** What the files are of where they are not the version's. */
  readonly save: SaveBegunWith | null;
  /** Object id of the tree of the files. */
  readonly tree: string;
  readonly config: AgentConfig;
  /** False where the version has no kai.yaml; `config` is the agent's of today then. */
  readonly hasConfig: boolean;
}

/**
 * E101 and E107 for what is neither a version nor a commit, E106 where its kai.yaml cannot be read, E125 where its commit is not here, or a
 * save is of a version that is not.
 */
export async function readGround(known: AgentHistory, asked: string): Promise<SnapshotGround> {
  const { repository } = known.agent;
  const tried = await findTried(repository, known.history, asked);
  const reader = new ObjectReader(repository);
  try {
    const { version, save } = await withoutSaves(reader, known, tried);
    const [tree, config] = await Promise.all([
      readTree(reader, save?.commit ?? version.commit),
      readConfig(reader, known, version),
    ]);
    return { ...known, repository, version, save, tree, ...config };
  } finally {
    reader.close();
  }
}

/** What was asked for, and where that is a save, the version or commit that its snapshot was of, itself none. */
async function withoutSaves(
  reader: ObjectReader,
  { agent, history }: AgentHistory,
  tried: Tried,
): Promise<Pick<SnapshotGround, "version" | "save">> {
  const { objectFormat } = agent.repository;
  const save = tried.tagId === null ? await findSaveBegunWith(reader, objectFormat, tried.commit) : undefined;
  if (save === undefined) return { version: tried, save: null };
  const version = history.versions.find(({ tag, commit }) => tag === save.tag && commit === save.of);
  if (version !== undefined) return { version, save };
  const commit = commitTried(history, save.of);
  // Of a version that is gone the commit may be here: nobody's signature is on that.
  if (commit.tag !== save.tag || (await findSaveBegunWith(reader, objectFormat, save.of))) throw versionIsNotHere(save);
  return { version: commit, save };
}

async function readTree(reader: ObjectReader, commit: string): Promise<string> {
  const made = await reader.find(commit);
  const tree = made?.type === "commit" ? /^tree (?<id>[0-9a-f]+)\n/.exec(made.content.toString("latin1")) : null;
  if (!tree?.groups) throw commitIsNotHere(commit);
  return tree.groups["id"] ?? "";
}

/** Of a version, or of the agent where that has none. */
async function readConfig(
  reader: ObjectReader,
  { agent }: AgentHistory,
  { tag, commit }: Tried,
): Promise<Pick<SnapshotGround, "config" | "hasConfig">> {
  const [made, found] = await Promise.all([reader.find(commit), reader.find(`${commit}:${CONFIG_FILE}`)]);
  if (made === undefined) throw commitIsNotHere(commit);
  if (found?.type !== "blob") return { config: agent.config, hasConfig: false };
  const name = `${tag}:${CONFIG_FILE}`;
  return { config: await loadAgentConfig(decodeConfig(found.content, name), name), hasConfig: true };
}

/** What a user named: a version as everywhere, else a commit as git names it. */
export async function findTried(repository: Repository, history: History, asked: string): Promise<Tried> {
  try {
    return findAsked(history, asked);
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E107") throw cause;
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${withSnapshotId(asked)}^{commit}`];
    const found = await tryGit(repository, args);
    if (found.exitCode !== 0) throw cause;
    return commitTried(history, found.stdout.toString().trim());
  }
}

/** A commit that is no version. */
function commitTried(history: History, commit: string): Tried {
  const name = commit.slice(0, SHOWN_DIGITS);
  const parent = versionInForce(history)?.number.text ?? null;
  return { number: { text: name }, tag: name, tagId: null, commit, parent };
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
