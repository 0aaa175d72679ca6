import { isAscii } from "node:buffer";
import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs } from "../git/refs.js";
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
    tryGit(repository, [...PLAIN_LOG, "-z", "--topo-order", "--format=%H %P%n%B", LOG_REF, "--"]),
    readAgent(repository),
    isRecoveryDue(repository),
  ]);
  const text = log.exitCode === 0 ? textOf(log.stdout) : "";
  const format = tagFormat(agent.config.version_management.semantic_versioning.tag_format);
  const outline = outlineLog(text);
  const history = outlinedHistory(refs, outline, () => parseLogOutput(text), format);
  return { agent, history, outline, hasLog: log.exitCode === 0, recoveryDue };
}

/** UTF-8 as text; where it is ASCII, as it mostly is, without decoding. */
const textOf = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString("latin1") : bytes.toString());
