import { findLaterSwitch, isSwitch } from "../deploy/later-switch.js";
import type { LoggedEntry } from "../operation/entry.js";
import { type DeployedAgent, findDeployed, withConfig } from "../version/deployed-agent.js";
import { findVersion } from "../version/history.js";
import { holdDeployment } from "../version/hold-deployment.js";
import { findNumber } from "../version/number.js";
import type { WritingSession } from "../version/writing-session.js";

/**
 * The deployment as an operation that is taken back has it, `configured` where that has none: what was there before comes back
 * where the operation or ways out of it switched it. It stays as it is where none did, or another one was deployed since. Held
 * where `holds` says so.
 */
export async function findDeployedBefore(
  session: WritingSession,
  { id }: Pick<LoggedEntry, "id">,
  { configured, holds }: { readonly configured: string | null; readonly holds: boolean },
): Promise<DeployedAgent | undefined> {
  const { history } = session;
  const switches: LoggedEntry[] = [];
  history.findEntry((each) => {
    if ((each.id === id || each.details["recovers"] === id) && isSwitch(each)) switches.push(each);
    return each.id === id;
  });
  const [newest, oldest] = [switches[0], switches.at(-1)];
  const root = newest ? String(newest.details["root"]) : configured;
  if (holds) await holdDeployment(session, root);
  const deployed = await findDeployed(session, root, undefined);
  const previous = findNumber(String(oldest?.details["previous"]));
  if (!deployed || !newest || !previous) return deployed;
  const isDeployedSince = deployed.version !== newest.details["deployed"] || findLaterSwitch(history, newest);
  return isDeployedSince ? deployed : { ...deployed, next: await withConfig(session, findVersion(history, previous)) };
}
