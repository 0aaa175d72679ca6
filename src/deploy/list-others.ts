import { configuredRoot } from "../version/deployment-place.js";
import type { DeploymentRoot } from "../version/deployment-root.js";
import type { KnownVersion } from "../version/history.js";
import { listRunningPlaces, type RunningPlace } from "../version/running-places.js";
import type { WritingSession } from "../version/writing-session.js";

/** A switch of `current`, from a version's number to a version; null for nothing. */
export interface Switch {
  readonly root: DeploymentRoot;
  readonly version: KnownVersion | null;
  readonly previous: string | null;
}

/**
 * Where agents run that were started here, other than that of the version that is switched to. The one of the working tree is among
 * them where kai.yaml says that this is where the agent is deployed, and something is: else it is an agent of its own.
 */
export async function listOthers(
  session: WritingSession,
  { root, version, previous }: Switch,
): Promise<readonly RunningPlace[]> {
  const { repository, config } = session.agent;
  const running = await listRunningPlaces(session, { root: root.root, linked: previous });
  const others = running.filter((each) => each.version === null || each.version !== version?.number.text);
  const isOne = version !== null && (await configuredRoot(repository, config)) === root.root;
  return isOne ? others : others.filter((each) => each.version !== null);
}
