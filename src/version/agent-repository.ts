import path from "node:path";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig, readConfigText } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { findStat } from "../system/path-bytes.js";
import { ConfigCache } from "./kept-configs.js";
import { findLoggedConfig } from "./logged-config.js";
import { readStatus } from "./work-tree-status.js";

export const CONFIG_FILE = "kai.yaml";

/** A repository that is an agent, and the configuration that its working tree (or, in a bare one, its HEAD) holds. */
export interface AgentRepository {
  readonly repository: Repository;
  readonly config: AgentConfig;
  /** The tag of the version, or HEAD, whose kai.yaml that is because the agent's own is gone or broken; else undefined. */
  readonly configFrom: string | undefined;
}

/** That the agent's own kai.yaml is not what is in effect. */
export interface ConfigGone {
  /** Whose is: the tag of a version, or HEAD. */
  readonly configFrom: string;
  readonly bare: boolean;
  /** What is wrong with the agent's own (E106); undefined where there is none. */
  readonly broken: KaiError | undefined;
}

/** Told once where an agent is opened by a version's kai.yaml. Who will not go on without a broken one throws `broken`. */
export type OnConfigGone = (gone: ConfigGone) => void;

/**
 * Opens the agent around `cwd`. One with a log whose kai.yaml is gone is opened by that of the version in force, and so is one
 * whose kai.yaml is broken, where somebody is told. E104 outside a repository, E105 where it has no kai.yaml, E106 where that is
 * invalid, E125 in a bare one whose HEAD has no commit yet.
 */
export async function openAgent(
  cwd: string,
  env: NodeJS.ProcessEnv,
  onConfigGone?: OnConfigGone,
): Promise<AgentRepository> {
  return readAgent(await openRepository(cwd, env), onConfigGone);
}

/** The same for a repository that is open already. */
export async function readAgent(repository: Repository, onConfigGone?: OnConfigGone): Promise<AgentRepository> {
  const found = await findEffectiveConfig(repository);
  if (found && found.configFrom === undefined) return { repository, config: found.config, configFrom: undefined };
  const unborn = await unbornBranch(repository);
  if (unborn) throw unborn;
  if (found === undefined) throw notAnAgent(repository);
  const { config, configFrom, broken } = found;
  if (broken && !onConfigGone) throw broken;
  onConfigGone?.({ configFrom, bare: repository.bare, broken });
  return { repository, config, configFrom };
}

/** The configuration to go by, and whose it is. */
export type EffectiveConfig = { readonly config: AgentConfig } & (
  | { readonly configFrom?: undefined }
  | Omit<ConfigGone, "bare">
);

/** The agent's own; where that is gone or broken, one that the log knows of. Undefined where there is none, E106 where none can be read. */
export async function findEffectiveConfig(repository: Repository): Promise<EffectiveConfig | undefined> {
  const own = await readOwnConfig(repository);
  if (own && "config" in own) return own;
  const logged = await findLoggedConfig(repository).catch((cause: unknown) => {
    throw own?.broken ?? cause;
  });
  if (logged === undefined && own) throw own.broken;
  if (logged === undefined) return undefined;
  const { of: configFrom, config } = logged;
  return { config, configFrom, broken: own && withWayBack(own.broken, configFrom, repository) };
}

/** The agent's own kai.yaml, or the E106 of one that is broken; undefined where there is none. */
async function readOwnConfig(
  repository: Repository,
): Promise<{ readonly config: AgentConfig } | { readonly broken: KaiError } | undefined> {
  try {
    const text = await findConfigText(repository);
    return text === undefined
      ? undefined
      : { config: await loadAgentConfig(text, CONFIG_FILE, new ConfigCache(repository.callerEnv)) };
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E106") return { broken: cause };
    throw cause;
  }
}

/** In a bare repository nothing can be checked out. */
const withWayBack = ({ code, message, hint, data }: KaiError, of: string, { bare }: Repository): KaiError =>
  new KaiError(code, message, {
    hint: bare ? hint : `${hint} \`git checkout ${of} -- ${CONFIG_FILE}\` puts that of ${of} in its place.`,
    data,
  });

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
