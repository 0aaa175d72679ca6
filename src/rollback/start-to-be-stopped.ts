import { type CommandContext, startAgent } from "../system/agent-process.js";
import type { Prepared } from "./gather-facts.js";
import type { StepLog } from "./step-log.js";

/**
 * For a rehearsal, where no agent runs yet: starts that of the version that is left, so that there is one to stop. Where it cannot
 * be started nothing is stopped, and a remark says so: that is no fault of the rollback, which may well lead away from it.
 */
export async function startToBeStopped(prepared: Prepared, steps: StepLog, context: CommandContext): Promise<Prepared> {
  if (steps.step("stop_agent") === undefined) return prepared;
  const nothing = { ...prepared, startAgain: null, before: { ...prepared.before, stop: null } };
  if (prepared.startAgain === null) {
    steps.remark("stop_agent", "There was nothing to stop: the version that is left names no command that starts it.");
    return nothing;
  }
  const { ok, error } = await startAgent(prepared.startAgain, context);
  context.cancelled?.throwIfAborted();
  if (ok) return prepared;
  steps.remark("stop_agent", `There was nothing to stop: the version that is left could not be started. ${error}`);
  return nothing;
}
