import type { OperationState, RunningOperation } from "../operation/operation-state.js";
import { formatTime } from "./format-time.js";
import { oneLine } from "./style.js";

export const INTERRUPTED = "An operation was interrupted: `git kai-version recover` brings it to its end.";

export function describeRunning({ what, process, since }: RunningOperation): string {
  const who = what === null ? "" : `: ${oneLine(what)} (process ${process})`;
  return `An operation is under way${who}, since ${formatTime(since)}.`;
}

/** What reading commands say of an operation that has not ended; undefined where there is none any more. */
export function describeUnfinished({ running, interrupted }: OperationState): string | undefined {
  if (running !== null) return describeRunning(running);
  return interrupted ? INTERRUPTED : undefined;
}
