import { findStat } from "../system/path-bytes.js";
import { type DeployedAgent, placeOf, withConfig } from "./deployed-agent.js";
import { findVersion } from "./history.js";
import { agentMark } from "./lifecycle-commands.js";
import { findNumber } from "./number.js";
import { listRunningPlaces, type RunningPlace } from "./running-places.js";
import type { WritingSession } from "./writing-session.js";

/** Where the agent runs that is managed here. */
export interface WhereItRuns {
  /** The deployment of the version in whose folder it does; undefined for the working tree. */
  readonly place: DeployedAgent | undefined;
  /** The marks of those that run elsewhere at the same time, of which there should be none. */
  readonly beside: readonly string[];
}

/**
 * The agent of the working tree and those of the deployment at `root` are one: it runs where it is `deployed`, unless nothing that
 * was started here runs there, and something does in another of its folders.
 */
export async function findWhereItRuns(
  session: Pick<WritingSession, "agent" | "log" | "reader" | "history">,
  root: string | null,
  deployed: DeployedAgent | undefined,
): Promise<WhereItRuns> {
  if (root === null) return { place: deployed, beside: [] };
  const running = await listRunningPlaces(session, { root, linked: deployed?.version ?? null });
  const own = agentMark(session.log.entry.repo, placeOf(session.agent.repository, deployed, deployed?.version).cwd);
  const runs = running.find(({ agent }) => agent === own) ?? running[0];
  const beside = running.flatMap(({ agent }) => (agent === runs?.agent ? [] : agent));
  if (runs === undefined || runs.agent === own) return { place: deployed, beside };
  return { place: await deploymentOf(session, root, runs), beside };
}

async function deploymentOf(
  session: Pick<WritingSession, "reader" | "history">,
  root: string,
  { folder, version }: RunningPlace,
): Promise<DeployedAgent | undefined> {
  const number = version === null ? undefined : findNumber(version);
  if (version === null || number === undefined) return undefined;
  const left = await withConfig(session, findVersion(session.history, number));
  return { root, version, left, next: undefined, isThere: (await findStat(folder)) !== undefined };
}
