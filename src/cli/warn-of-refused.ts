import type { RefusedPath } from "../snapshot/execution.js";
import type { Output } from "./output.js";
import { oneLine } from "./style.js";

/** What was not taken of a snapshot's files, where the result is too short to say it. */
export function warnOfRefused(refused: readonly RefusedPath[], output: Output): void {
  if (!output.quiet || output.json) return;
  for (const { path, reason } of refused) output.warn(`${oneLine(path)} was refused: ${reason}`);
}
