import { findStat } from "../system/path-bytes.js";
import { deploymentRoot } from "./deployment-root.js";
import type { WritingSession } from "./writing-session.js";

/**
 * Keeps a deployment to this session until it has ended, so that nobody switches it, or starts and stops its agents, meanwhile; for
 * whoever does so, before it is read. Nothing where none is there. E113, E124.
 */
export async function holdDeployment({ roots }: Pick<WritingSession, "roots">, root: string | null): Promise<void> {
  if (root !== null && (await findStat(deploymentRoot(root).versions))) await roots.hold(root);
}
