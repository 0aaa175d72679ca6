import { createHash } from "node:crypto";
import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import { parseDuration } from "../agent/quantity.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";

/** A version's folder, and what its commands are run for. */
export interface DeploymentSituation {
  /** The root of the deployments, absolute. */
  readonly root: string;
  /** The version's folder, absolute. */
  readonly folder: string;
  readonly version: string;
  /** The versions that `current` leads to before and after; null for none. */
  readonly from: string | null;
  readonly to: string | null;
  /** The operation's ULID. */
  readonly operation: string;
  /** The repository's id, of the log's first entry. */
  readonly repo: string;
}

export interface DeploymentCommands {
  /** What the processes of the agent in this folder are marked with. */
  readonly agent: string;
  readonly install: AgentCommand | null;
  readonly start: StartCommand | null;
  readonly stop: AgentCommand | null;
}

/** The commands of a version's `lifecycle`, as they are run in its deployment. */
export function deploymentCommands(
  lifecycle: AgentConfig["lifecycle"],
  { root, folder, version, from, to, operation, repo }: DeploymentSituation,
): DeploymentCommands {
  const env = {
    KAI_DEPLOYMENT: root,
    KAI_FROM: from ?? "",
    KAI_OPERATION: operation,
    KAI_TO: to ?? "",
    KAI_VERSION: version,
    // Its folder is read-only, but not to root: what Python leaves beside a module would be a file too many.
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const command = (key: "install" | "start" | "stop" | "health"): AgentCommand | null => {
    const { run, timeout } = lifecycle[key];
    return run === null ? null : { run, cwd: folder, timeoutMs: parseDuration(timeout), env };
  };
  const agent = agentMark(repo, folder);
  const start = command("start");
  const health = command("health");
  return {
    agent,
    install: command("install"),
    start: start && {
      ...start,
      agent,
      log: path.join(root, "agent.log"),
      health: health && { ...health, retries: lifecycle.health.retries },
    },
    stop: command("stop"),
  };
}

/** What tells the processes of an agent from those of the same one in another folder. */
export const agentMark = (repo: string, folder: string): string =>
  `${repo}/${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
