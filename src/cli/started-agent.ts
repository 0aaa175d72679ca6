import type { StartedChange } from "../deploy/agents-change.js";
import { formatDuration } from "./format-time.js";

/** That the agent of a deployment is well, also where that took a second start. */
export const wellAfter = ({ durationMs, againMs }: Pick<StartedChange, "durationMs" | "againMs">): string =>
  `well after ${formatDuration(durationMs)}${againMs === null ? "" : `, and once more after ${formatDuration(againMs)}: it had been stopped with what ran before`}`;
