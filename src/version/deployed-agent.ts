import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import type { Repository } from "../git/repository.js";
import { configuredRoot } from "./deployment-place.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "./deployment-root.js";
import type { LifecycleSituation } from "./lifecycle-commands.js";

/** Where the agent is deployed, and which version that is. */
export interface DeployedAgent {
  /** Absolute. */
  readonly root: string;
  readonly version: string;
}

/** The deployment that `deploy.root` names, where one of ours is in it: then the agent runs there. */
export async function findDeployed(repository: Repository, config: AgentConfig): Promise<DeployedAgent | undefined> {
  const root = await configuredRoot(repository, config);
  if (root === null) return undefined;
  const version = versionOfLink(await readCurrentLink(deploymentRoot(root).current));
  return version === null ? undefined : { root, version };
}

/** Where the commands of a version run: in its folder of the deployment, where there is one; else where the agent itself is. */
export function placeOf(
  repository: Repository,
  deployed: DeployedAgent | undefined,
  version: string | undefined,
): Pick<LifecycleSituation, "cwd" | "deployment"> {
  if (deployed === undefined || version === undefined) {
    return { cwd: repository.workTree ?? repository.gitDir, deployment: null };
  }
  const { root } = deployed;
  return { cwd: path.join(deploymentRoot(root).versions, `v${version}`), deployment: root };
}
