import { createHash } from "node:crypto";
import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import { parseDuration } from "../agent/quantity.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";

/** What the commands of kai.yaml are run for. */
export interface LifecycleSituation {
  /** The folder they run in, absolute: the agent's work tree, or a version's folder of a deployment. */
  readonly cwd: string;
  /** The root of the deployment that this is a folder of, absolute; null where it is none. */
  readonly deployment: string | null;
  /** The version whose kai.yaml names them. */
  readonly version: string | null;
  /** The version that is left, and the one that is gone to; null where there is none. */
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
  const { cwd, deployment, commonDir, repo } = situation;
  const env = environmentOf(situation);
  const command = (key: CommandKey): AgentCommand | null => {
    const { run, timeout } = lifecycle[key];
    return run === null ? null : { run, cwd, timeoutMs: parseDuration(timeout), env };
  };
  const agent = agentMark(repo, cwd);
  const asked = command("health");
  const health = asked && { ...asked, retries: lifecycle.health.retries };
  const started = command("start");
  const log = agentLog(deployment ?? path.join(commonDir, "kai"));
  return {
    agent,
    stop: command("stop"),
    start: started && { ...started, agent, log, health },
    health,
    install: command("install"),
    migrate: command("migrate"),
  };
}

function environmentOf({ deployment, version, from, to, operation }: LifecycleSituation): AgentCommand["env"] {
  const env = { KAI_VERSION: version ?? "", KAI_FROM: from ?? "", KAI_TO: to ?? "", KAI_OPERATION: operation };
  if (deployment === null) return env;
  // Its folder is read-only, but not to root: what Python leaves beside a module would be a file too many.
  return { ...env, KAI_DEPLOYMENT: deployment, PYTHONDONTWRITEBYTECODE: "1" };
}

/** What tells the processes of an agent from those of the same one in another folder. */
export const agentMark = (repo: string, folder: string): string =>
  `${repo}/${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;

/** What takes the output of the agents in a folder: a deployment's root, or kai's own. */
export const agentLog = (folder: string): string => path.join(folder, "agent.log");
