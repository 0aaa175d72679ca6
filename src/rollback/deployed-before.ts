import type { LoggedEntry } from "../operation/entry.js";
import { type DeployedAgent, findDeployed, withConfig } from "../version/deployed-agent.js";
import { findVersion, type KnownVersion } from "../version/history.js";
import { findNumber } from "../version/number.js";
import type { WritingSession } from "../version/writing-session.js";

/**
 * The deployment as an operation that is undone has it: where it switched one, that goes back to what was there before, unless
 * another one was deployed since.
 */
export async function findDeployedBefore(
  session: WritingSession,
  { details }: Pick<LoggedEntry, "details">,
  fallback: { readonly root: string | null; readonly next: KnownVersion | null },
): Promise<DeployedAgent | undefined> {
  const root = typeof details["root"] === "string" ? details["root"] : fallback.root;
  const deployed = await findDeployed(session, root, fallback.next);
  const previous = typeof details["previous"] === "string" ? findNumber(details["previous"]) : undefined;
  const before = previous && findVersion(session.history, previous);
  if (deployed === undefined || before === undefined || deployed.version !== details["deployed"]) return deployed;
  return { ...deployed, next: await withConfig(session, before) };
}
