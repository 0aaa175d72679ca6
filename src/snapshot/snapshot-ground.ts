import path from "node:path";
import { type AgentConfig, parseAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { kaiHome } from "../trust/key-store.js";
import { CONFIG_FILE } from "../version/agent-repository.js";
import { findAsked } from "../version/find-asked.js";
import type { KnownVersion } from "../version/history.js";
import type { AgentHistory } from "../version/reading.js";
import { ownTempDir } from "./sandbox/sandbox-folder.js";
import { tempDirOf } from "./sandbox/temp-dir-of.js";

/** A version, and all that a snapshot over it is decided by: its own configuration, not what the working tree has now. */
export interface SnapshotGround extends AgentHistory {
  readonly repository: Repository;
  readonly version: KnownVersion;
  readonly config: AgentConfig;
  /** False where the version has no kai.yaml; `config` is the agent's of today then. */
  readonly hasConfig: boolean;
}

/** E101 and E107 for a version that is not there, E106 where its kai.yaml cannot be read. */
export async function readGround(known: AgentHistory, asked: string): Promise<SnapshotGround> {
  const { repository } = known.agent;
  const version = findAsked(known.history, asked);
  const name = `${version.tag}:${CONFIG_FILE}`;
  const shown = await tryGit(repository, ["cat-file", "blob", `${version.commit}:${CONFIG_FILE}`]);
  const hasConfig = shown.exitCode === 0;
  const config = hasConfig ? parseAgentConfig(decodeConfig(shown.stdout, name), name) : known.agent.config;
  return { ...known, repository, version, config, hasConfig };
}

/** Places on this machine: for what is kept of it, and for the folders of sandboxes. */
export interface Places {
  /** Our own folder in the git common dir. */
  readonly kaiDir: string;
  readonly cacheDir: string;
  readonly tempDir: string;
}

export const placesOf = async (
  repository: Repository,
  config: AgentConfig,
  env: NodeJS.ProcessEnv,
): Promise<Places> => ({
  kaiDir: kaiFolderOf(repository).root,
  cacheDir: path.join(kaiHome(env), "cache"),
  tempDir: await ownTempDir(tempDirOf(config, repository)),
});
