import path from "node:path";
import { KaiError } from "../error.js";
import { configuredRoot } from "../version/deployment-place.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import type { AgentHistory } from "../version/reading.js";
import { changedDeployment } from "./changed-deployment.js";
import type { FileProblem } from "./check-working-files.js";
import { checkDeployment, readDeployment } from "./deployment.js";
import { requireSameDeployment } from "./require-same-deployment.js";

/** What stands at `deploy.root`. */
export interface DeploymentStatus {
  readonly root: string;
  /** What `current` leads to; null where there is nothing, or nothing of ours. */
  readonly version: string | null;
  /** The version's folder. */
  readonly path: string | null;
  /** Files that are not as they were deployed. */
  readonly differs: readonly FileProblem[];
  /** What is wrong with it; null where nothing is. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Checks, file by file, what is deployed at `deploy.root`; null where kai.yaml names none. */
export async function readDeploymentStatus({ agent, history }: AgentHistory): Promise<DeploymentStatus | null> {
  const root = await configuredRoot(agent.repository, agent.config);
  if (root === null) return null;
  const place = deploymentRoot(root);
  const nothing: DeploymentStatus = { root, version: null, path: null, differs: [], problem: null };
  const found = { ...nothing };
  try {
    const version = versionOfLink(await readCurrentLink(place.current));
    if (version === null) return nothing;
    const folder = path.join(place.versions, `v${version}`);
    Object.assign(found, { version, path: folder });
    const deployment = readDeployment(folder);
    const known = history.versions.find((each) => each.number.text === version && each.type !== "foreign");
    requireSameDeployment(deployment, known, history);
    const differs = checkDeployment(deployment);
    if (differs.length === 0) return found;
    throw changedDeployment(folder, differs);
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    const { code, message, data } = cause;
    return { ...found, differs: (data?.["problems"] ?? []) as FileProblem[], problem: { code, message } };
  }
}
