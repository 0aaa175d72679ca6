import type { AgentConfig } from "../agent/config.js";
import { findDeployed, placeOf } from "../version/deployed-agent.js";
import { configuredRoot } from "../version/deployment-place.js";
import { type KnownVersion, versionInForce } from "../version/history.js";
import { type LifecycleCommands, lifecycleCommands } from "../version/lifecycle-commands.js";
import { findVersionConfig } from "../version/version-config.js";
import type { WritingSession } from "../version/writing-session.js";

/** How the agent that runs now is managed. */
export interface CommandsInForce {
  readonly version: KnownVersion;
  readonly config: AgentConfig;
  readonly commands: LifecycleCommands;
  /** The version whose kai.yaml names them: the one that is deployed, or else the one in force. */
  readonly named: KnownVersion;
}

/** Those of the version in force, or of the one that is deployed, in the folder where it runs; undefined where none is. */
export async function commandsInForce(
  session: WritingSession,
  numbers?: { readonly from: string | null; readonly to: string; readonly operation: string },
): Promise<CommandsInForce | undefined> {
  const { agent, reader, history, log, id } = session;
  const { repository } = agent;
  const version = versionInForce(history);
  const config = version && (await findVersionConfig(reader, version.commit));
  if (!version || !config) return undefined;
  const deployed = await findDeployed(session, await configuredRoot(repository, config), undefined);
  const number = version.number.text;
  const commands = lifecycleCommands((deployed?.left?.config ?? config).lifecycle, {
    ...placeOf(repository, deployed, deployed?.version),
    version: deployed?.version ?? number,
    ...(numbers ?? { from: number, to: number, operation: id }),
    commonDir: repository.commonDir,
    repo: log.entry.repo,
  });
  return { version, config, commands, named: deployed?.left?.version ?? version };
}
