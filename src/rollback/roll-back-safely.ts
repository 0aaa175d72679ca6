import type { RollbackCaller } from "./decided.js";
import { didNotHold } from "./did-not-hold.js";
import { endJudging } from "./end-judging.js";
import { fallBack } from "./fall-back.js";
import { goalOf } from "./plan.js";
import type { RollbackOptions } from "./request.js";
import { rollBackAfterVersion, type VersionedRollback } from "./roll-back-after-version.js";

/**
 * Goes back, and where what comes into force is not well, goes on by the fallback strategies. E127 whether or not one of them
 * holds: what was asked for is not in force.
 */
export async function rollBackSafely(caller: RollbackCaller, options: RollbackOptions): Promise<VersionedRollback> {
  const result = await rollBackAfterVersion(caller, options);
  const { operation } = result;
  if (result.ok || operation === null) return result;
  const failed = { ...result, operation };
  const how = { trustCommands: options.trustCommands ?? false, barred: null, tried: [] };
  const fallbacks = await fallBack(caller, failed, how);
  await endJudging(caller, operation, fallbacks);
  const exit = result.plan.recovery.automatic ? 4 : 1;
  throw didNotHold(`The rollback to ${goalOf(result.plan)}`, failed, fallbacks, { exit, data: { rollback: result } });
}
