import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import { AGENT_MARK } from "../system/agent-environment.js";
import { whyNotRun } from "./command-trust.js";
import { findDeployed, placeOf } from "./deployed-agent.js";
import { configuredRoot } from "./deployment-place.js";
import { type KnownVersion, versionInForce } from "./history.js";
import { holdDeployment } from "./hold-deployment.js";
import { lifecycleCommands } from "./lifecycle-commands.js";
import { findVersionConfig } from "./version-config.js";
import { findWhereItRuns } from "./where-it-runs.js";
import type { WritingSession } from "./writing-session.js";

/** How the agent that runs is stopped for a while. */
export interface Stoppable {
  readonly stop: AgentCommand;
  readonly start: StartCommand;
}

/**
 * How the running agent may be stopped and started again: by the commands of the version that runs, which is the one in whose folder
 * of a deployment it runs, or else the one in force; before the first by those of kai.yaml, for which nobody has signed. Or why it
 * may not be, a sentence. `key` is the one that the operation is signed with, where that is known already;
 * the deployment that it runs in is held where `holds` says so.
 */
export async function findStoppable(
  session: WritingSession,
  request: { readonly trustCommands: boolean; readonly holds: boolean },
  key?: string,
): Promise<Stoppable | string> {
  const { agent, caller, log, id } = session;
  const { repository } = agent;
  const running = await findRunning(session, request.holds);
  if (typeof running === "string") return running;
  const { version, deployed } = running;
  if (running.config === null) return `The kai.yaml of ${version?.tag} cannot be read today.`;
  const number = version?.number.text ?? null;
  const { agent: mark, ...commands } = lifecycleCommands(running.config.lifecycle, {
    ...placeOf(repository, deployed, deployed?.version),
    version: number,
    from: number,
    to: number,
    operation: id,
    commonDir: repository.commonDir,
    repo: log.entry.repo,
  });
  const { stop, start } = commands;
  if (stop === null || start === null) return notSet(version, { stop, start });
  if (caller.env[AGENT_MARK] === mark) return "It is the agent itself that makes this version.";
  const named = [stop, start, ...(start.health ? [start.health] : [])].map(({ run }) => run);
  const refused = await whyNotRun(session, [{ version, commands: named }], request, key);
  return refused === null ? { stop, start } : [refused.message, refused.hint].join(" ");
}

/** The version that runs, its configuration, and the deployment that it runs in; or why nobody can tell. */
async function findRunning(session: WritingSession, holds: boolean) {
  const { agent, reader, history } = session;
  const inForce = versionInForce(history);
  const config: AgentConfig | null = inForce ? await findVersionConfig(reader, inForce.commit) : agent.config;
  const found = await configuredRoot(agent.repository, config ?? agent.config)
    .then(async (root) => {
      if (holds) await holdDeployment(session, root);
      return findWhereItRuns(session, root, await findDeployed(session, root, undefined));
    })
    .catch(isNoDeployment);
  if (typeof found === "string") return found;
  const { place } = found;
  return { version: place?.left?.version ?? inForce, config: place?.left?.config ?? config, deployed: place };
}

function isNoDeployment(cause: unknown): string {
  if (cause instanceof KaiError && cause.code === "E125") return cause.message;
  throw cause;
}

function notSet(version: KnownVersion | undefined, commands: Readonly<Record<"stop" | "start", AgentCommand | null>>) {
  const missing = (["stop", "start"] as const).filter((name) => commands[name] === null);
  const names = missing.map((name) => `no lifecycle.${name}`).join(" and ");
  const whose = version === undefined ? "kai.yaml" : `the kai.yaml of ${version.tag}, which runs,`;
  return `To be stopped for a moment it needs lifecycle.stop and lifecycle.start, and ${whose} has ${names}.`;
}
