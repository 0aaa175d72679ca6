import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import type { Repository } from "../git/repository.js";
import { configuredRoot } from "./deployment-place.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "./deployment-root.js";
import { findVersion, type KnownVersion } from "./history.js";
import type { LifecycleSituation } from "./lifecycle-commands.js";
import { findNumber } from "./number.js";
import { findVersionConfig } from "./version-config.js";
import type { WritingSession } from "./writing-session.js";

/** Where the agent is deployed, and which version that is. */
export interface DeployedAgent {
  /** Absolute. */
  readonly root: string;
  readonly version: string;
  /** What is known of that version, and its kai.yaml: its agent runs by that. Absent where it is not here. */
  readonly known: KnownVersion | undefined;
  readonly config: AgentConfig | null;
}

/** The deployment that `deploy.root` names, where one of ours is in it: then the agent runs there. */
export async function findDeployed(
  { agent, reader, history }: Pick<WritingSession, "agent" | "reader" | "history">,
  config: AgentConfig,
): Promise<DeployedAgent | undefined> {
  const root = await configuredRoot(agent.repository, config);
  if (root === null) return undefined;
  const version = versionOfLink(await readCurrentLink(deploymentRoot(root).current));
  const number = version === null ? undefined : findNumber(version);
  if (version === null || number === undefined) return undefined;
  const known = findVersion(history, number);
  return { root, version, known, config: known ? await findVersionConfig(reader, known.commit) : null };
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
