import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs } from "../git/refs.js";
import { tryGit } from "../git/run-git.js";
import { LOG_REF } from "../operation/entry.js";
import { parseLogOutput } from "../operation/log.js";
import { isRecoveryDue } from "../operation/recover.js";
import { type AgentRepository, openAgent } from "./agent-repository.js";
import { buildHistory, type History } from "./history.js";
import { tagFormat } from "./tag-name.js";

export interface AgentHistory {
  readonly agent: AgentRepository;
  readonly history: History;
  /** False where the clone lacks the log: then nothing is known but the tags. */
  readonly hasLog: boolean;
  readonly recoveryDue: boolean;
}

/** Reads an agent's tags and log without lock or verification: what a reading command shows. */
export async function readAgentHistory(cwd: string, env: NodeJS.ProcessEnv): Promise<AgentHistory> {
  const agent = await openAgent(cwd, env);
  const { repository } = agent;
  const [refs, log, recoveryDue] = await Promise.all([
    listRefs(repository, ["refs/tags"]),
    tryGit(repository, [...PLAIN_LOG, "-z", "--topo-order", "--format=%H %P%n%B", LOG_REF, "--"]),
    isRecoveryDue(repository),
  ]);
  const entries = log.exitCode === 0 ? parseLogOutput(log.stdout.toString()) : [];
  const format = tagFormat(agent.config.version_management.semantic_versioning.tag_format);
  return { agent, history: buildHistory(refs, entries, format), hasLog: log.exitCode === 0, recoveryDue };
}
