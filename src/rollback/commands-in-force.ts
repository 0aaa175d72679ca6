import type { AgentConfig } from "../agent/config.js";
import { findDeployed, placeOf } from "../version/deployed-agent.js";
import { configuredRoot } from "../version/deployment-place.js";
import { type KnownVersion, versionInForce } from "../version/history.js";
import { type LifecycleCommands, lifecycleCommands } from "../version/lifecycle-commands.js";
import { findVersionConfig } from "../version/version-config.js";
import { findWhereItRuns } from "../version/where-it-runs.js";
import type { WritingSession } from "../version/writing-session.js";

/** How the agent that runs now is managed. */
export interface CommandsInForce {
  readonly version: KnownVersion;
  readonly config: AgentConfig;
  readonly commands: LifecycleCommands;
  /** The version whose kai.yaml names them: the one that runs in a deployment, or else the one in force. */
  readonly named: KnownVersion;
}

/** Those of the version in force, or of the one that runs in a deployment, in the folder where it does; undefined where none is. */
export async function commandsInForce(
  session: WritingSession,
  numbers?: { readonly from: string | null; readonly to: string; readonly operation: string },
): Promise<CommandsInForce | undefined> {
  const { agent, reader, history, log, id } = session;
  const { repository } = agent;
  const version = versionInForce(history);
  const config = version && (await findVersionConfig(reader, version.commit));
  if (!version || !config) return undefined;
  const root = await configuredRoot(repository, config);
  const { place } = await findWhereItRuns(session, root, await findDeployed(session, root, undefined));
  const number = version.number.text;
  const commands = lifecycleCommands((place?.left?.config ?? config).lifecycle, {
    ...placeOf(repository, place, place?.version),
    version: place?.version ?? number,
    ...(numbers ?? { from: number, to: number, operation: id }),
    commonDir: repository.commonDir,
    repo: log.entry.repo,
  });
  return { version, config, commands, named: place?.left?.version ?? version };
}
