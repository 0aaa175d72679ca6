import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import { deploymentRoot, versionOfLink } from "../deploy/deployment-layout.js";
import { configuredRoot } from "../deploy/deployment-place.js";
import { type PlannedSwitch, readCurrentLink, switchDeployment } from "../deploy/switch-deployment.js";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import type { AgentCommand } from "../system/agent-command.js";
import { type CommandContext, runAgentCommand } from "../system/agent-process.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";

/** Where the agent is deployed, and which version that is. */
export interface DeployedAgent {
  /** Absolute. */
  readonly root: string;
  readonly version: string;
}

/** The deployment that `deploy.root` names, where one of ours is in it: a rollback then switches it, too. */
export async function findDeployed(repository: Repository, config: AgentConfig): Promise<DeployedAgent | undefined> {
  const root = await configuredRoot(repository, config);
  if (root === null) return undefined;
  const version = versionOfLink(await readCurrentLink(deploymentRoot(root).current));
  return version === null ? undefined : { root, version };
}

/** The folder in which a version of it runs. */
export const deployedFolder = ({ root }: DeployedAgent, version: string): string =>
  path.join(deploymentRoot(root).versions, `v${version}`);

/** Makes the folder of the version ready, dependencies and all, and plans the switch to it. */
export function planSwitch(
  session: WritingSession,
  { root }: DeployedAgent,
  { version, event, install }: { version: KnownVersion; event: "rollback" | "undo"; install: AgentCommand | null },
  context: CommandContext,
): Promise<PlannedSwitch> {
  const installIn = async (cwd: string): Promise<void> => {
    if (install === null) return;
    const { ok, error, output } = await runAgentCommand({ ...install, cwd }, context);
    if (ok) return;
    throw new KaiError("E126", `lifecycle.install failed in the folder of ${version.tag}: ${error}`, {
      hint: "Nothing was changed. Run it by hand in a copy of the version's files.",
      data: { output },
    });
  };
  return switchDeployment(session, { root, version, event, install: installIn });
}
