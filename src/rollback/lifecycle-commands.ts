import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import { parseDuration } from "../agent/quantity.js";
import { agentMark } from "../deploy/deployment-commands.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";

/** What the commands of kai.yaml are run for. */
export interface LifecycleSituation {
  /** The folder they run in, absolute: the agent's work tree or a deployment. */
  readonly cwd: string;
  /** The version whose kai.yaml names them. */
  readonly version: string | null;
  /** The version that is left, and the one that is gone to; null where none is in force. */
  readonly from: string | null;
  readonly to: string | null;
  /** The operation's ULID. */
  readonly operation: string;
  /** The repository's common git folder. */
  readonly commonDir: string;
  /** The repository's id, of the log's first entry. */
  readonly repo: string;
}

export interface LifecycleCommands {
  /** What the agent's processes are marked with; also where it has no start command of its own. */
  readonly agent: string;
  readonly stop: AgentCommand | null;
  readonly start: StartCommand | null;
  readonly health: StartCommand["health"];
  readonly install: AgentCommand | null;
  readonly migrate: AgentCommand | null;
}

type CommandKey = "stop" | "start" | "health" | "install" | "migrate";

/** The commands of `lifecycle` as they are run; null for each that kai.yaml does not name. */
export function lifecycleCommands(
  lifecycle: AgentConfig["lifecycle"],
  situation: LifecycleSituation,
): LifecycleCommands {
  const { cwd, version, from, to, operation, commonDir, repo } = situation;
  const env = { KAI_VERSION: version ?? "", KAI_FROM: from ?? "", KAI_TO: to ?? "", KAI_OPERATION: operation };
  const command = (key: CommandKey): AgentCommand | null => {
    const { run, timeout } = lifecycle[key];
    return run === null ? null : { run, cwd, timeoutMs: parseDuration(timeout), env };
  };
  const agent = agentMark(repo, cwd);
  const asked = command("health");
  const health = asked && { ...asked, retries: lifecycle.health.retries };
  const started = command("start");
  return {
    agent,
    stop: command("stop"),
    start: started && { ...started, agent, log: path.join(commonDir, "kai", "agent.log"), health },
    health,
    install: command("install"),
    migrate: command("migrate"),
  };
}
