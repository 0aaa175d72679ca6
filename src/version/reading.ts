import { isAscii } from "node:buffer";
import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs } from "../git/refs.js";
import { tryGit } from "../git/run-git.js";
import { LOG_REF } from "../operation/entry.js";
import { parseLogOutput } from "../operation/log.js";
import { isRecoveryDue } from "../operation/recover.js";
import { type AgentRepository, openAgent } from "./agent-repository.js";
import { type History, outlinedHistory } from "./history.js";
import { outlineLog } from "./log-outline.js";
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
  const text = log.exitCode === 0 ? textOf(log.stdout) : "";
  const format = tagFormat(agent.config.version_management.semantic_versioning.tag_format);
  const history = outlinedHistory(refs, outlineLog(text), () => parseLogOutput(text), format);
  return { agent, history, hasLog: log.exitCode === 0, recoveryDue };
}

/** UTF-8 as text; where it is ASCII, as it mostly is, without decoding. */
const textOf = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString("latin1") : bytes.toString());
