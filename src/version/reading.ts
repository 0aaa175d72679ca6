import { isAscii } from "node:buffer";
import type { AgentConfig } from "../agent/config.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs, type Ref } from "../git/refs.js";
import { openRepository, type Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { LOG_REF } from "../operation/entry.js";
import { parseLogOutput } from "../operation/log.js";
import { isRecoveryDue } from "../operation/recover.js";
import { type AgentRepository, readAgent } from "./agent-repository.js";
import { type History, outlinedHistory } from "./history.js";
import { type LogOutline, outlineLog } from "./log-outline.js";
import { tagFormat } from "./tag-name.js";

export interface AgentHistory {
  readonly agent: AgentRepository;
  readonly history: History;
  readonly outline: LogOutline;
  /** False where the clone lacks the log: then nothing is known but the tags. */
  readonly hasLog: boolean;
  readonly recoveryDue: boolean;
}

/** Reads an agent's tags and log without lock or verification: what a reading command shows. */
export async function readAgentHistory(cwd: string, env: NodeJS.ProcessEnv): Promise<AgentHistory> {
  return readHistoryOf(await openRepository(cwd, env));
}

/** The same in a repository that is open already. */
export async function readHistoryOf(repository: Repository): Promise<AgentHistory> {
  // The children first: they work while this process reads the configuration.
  const [refs, log, agent, recoveryDue] = await Promise.all([
    listRefs(repository, ["refs/tags"]),
    printLog(repository),
    readAgent(repository),
    isRecoveryDue(repository),
  ]);
  return { agent, ...historyFrom(refs, log ?? "", agent.config), hasLog: log !== undefined, recoveryDue };
}

/** History and outline from tags and from what `printLog` gave. */
export function historyFrom(
  refs: readonly Ref[],
  log: string,
  config: AgentConfig,
): { readonly history: History; readonly outline: LogOutline } {
  const outline = outlineLog(log);
  const format = tagFormat(config.version_management.semantic_versioning.tag_format);
  return { history: outlinedHistory(refs, outline, () => parseLogOutput(log), format), outline };
}

/** The log as text, newest entry first, as `outlineLog` and `parseLogOutput` take it; undefined where there is none. */
export async function printLog(repository: Repository): Promise<string | undefined> {
  const log = await tryGit(repository, [...PLAIN_LOG, "-z", "--topo-order", "--format=%H %P%n%B", LOG_REF, "--"]);
  return log.exitCode === 0 ? textOf(log.stdout) : undefined;
}

/** UTF-8 as text; where it is ASCII, as it mostly is, without decoding. */
const textOf = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString("latin1") : bytes.toString());
