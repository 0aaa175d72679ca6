import type { AgentConfig } from "../agent/config.js";
import { type DeployedAgent, findDeployed } from "../version/deployed-agent.js";
import { configuredRoot } from "../version/deployment-place.js";
import type { KnownVersion } from "../version/history.js";
import { holdDeployment } from "../version/hold-deployment.js";
import type { WritingSession } from "../version/writing-session.js";
import { findDeployedBefore } from "./deployed-before.js";
import { isWayOut, type RollbackRequest } from "./request.js";

/**
 * The deployment that a rollback meets, held where it is meant. A way out takes it back as `undo` does; else it goes with the
 * version.
 */
export async function findDeployment(
  session: WritingSession,
  request: RollbackRequest,
  config: AgentConfig,
  version: KnownVersion | undefined,
): Promise<DeployedAgent | undefined> {
  const { rehearsal, to, dryRun } = request;
  const configured = rehearsal ? rehearsal.root : await configuredRoot(session.agent.repository, config);
  // A copy of a deployment is the rehearsal's own.
  const holds = !dryRun && !rehearsal;
  if (isWayOut(request)) return findDeployedBefore(session, { id: to }, { configured, holds });
  if (holds) await holdDeployment(session, configured);
  return findDeployed(session, configured, version);
}
