import path from "node:path";
import { type AgentConfig, parseAgentConfig } from "../agent/config.js";
import { decodeConfig, readConfigText } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { findStat } from "../system/path-bytes.js";
import { readStatus } from "./work-tree-status.js";

export const CONFIG_FILE = "kai.yaml";

/** A repository that is an agent, and the configuration that its working tree (or, in a bare one, its HEAD) holds. */
export interface AgentRepository {
  readonly repository: Repository;
  readonly config: AgentConfig;
}

/**
 * Opens the agent around `cwd`. E104 outside a repository, E105 where it has no kai.yaml, E106 where that is invalid, E125 in
 * a bare one whose HEAD has no commit yet.
 */
export async function openAgent(cwd: string, env: NodeJS.ProcessEnv): Promise<AgentRepository> {
  return readAgent(await openRepository(cwd, env));
}

/** The same for a repository that is open already. */
export async function readAgent(repository: Repository): Promise<AgentRepository> {
  const text = await findConfigText(repository);
  if (text === undefined) throw (await unbornBranch(repository)) ?? notAnAgent(repository);
  return { repository, config: parseAgentConfig(text, CONFIG_FILE) };
}

/** The text of kai.yaml; undefined where there is none. E123 where it is no file, E106 where it is too large or not UTF-8. */
export async function findConfigText(repository: Repository): Promise<string | undefined> {
  if (repository.workTree !== undefined) {
    const file = path.join(repository.workTree, CONFIG_FILE);
    return (await findStat(file)) === undefined ? undefined : readConfigText(file, CONFIG_FILE);
  }
  const shown = await tryGit(repository, ["cat-file", "blob", `HEAD:${CONFIG_FILE}`]);
  return shown.exitCode === 0 ? decodeConfig(shown.stdout, CONFIG_FILE) : undefined;
}

/** A bare repository is an agent by what its HEAD holds, and one whose HEAD names a branch without commits holds nothing. */
async function unbornBranch(repository: Repository): Promise<KaiError | undefined> {
  if (!repository.bare) return undefined;
  const { head, branch } = await readStatus(repository);
  if (head !== null || branch === null) return undefined;
  return new KaiError(
    "E125",
    `HEAD names ${branch}, which has no commit yet: a bare repository has its kai.yaml there.`,
    {
      hint: "Push that branch, or let HEAD name one that is here: `git symbolic-ref HEAD refs/heads/BRANCH`.",
    },
  );
}

function notAnAgent(repository: Repository): KaiError {
  return new KaiError(
    "E105",
    `${repository.workTree ?? repository.gitDir} is not an agent yet: it has no ${CONFIG_FILE}.`,
    {
      hint: "`git kai-version init` makes it one.",
    },
  );
}
