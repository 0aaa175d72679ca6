import { readAgentHistory } from "../version/reading.js";
import type { RollbackCaller } from "./decided.js";
import type { Fallbacks } from "./fall-back.js";
import { dropUnjudged } from "./unjudged.js";

/**
 * Behind the last way out nothing is left to be judged, unless the log could not be told how what came into force last ended: then
 * `recover` asks once more.
 */
export async function endJudging(caller: RollbackCaller, operation: string, { tried }: Fallbacks): Promise<void> {
  const last = tried.findLast((each) => each.operation !== null)?.operation ?? operation;
  // A log that cannot be read tells nothing either.
  const read = await readAgentHistory(caller.cwd, caller.env).catch(() => undefined);
  const told = read?.history.findEntry(({ kind, details }) => kind === "outcome" && details["of"] === last);
  if (read && told) await dropUnjudged(read.agent.repository);
}
