import { parseDuration } from "../agent/quantity.js";

/** The time that a scenario is given: its own, but no more than the caller's; undefined leaves it to kai.yaml. E122. */
export function scenarioTime(own: string | null, asked: string | undefined): string | undefined {
  if (own === null || asked === undefined) return own ?? asked;
  return parseDuration(asked) < parseDuration(own) ? asked : own;
}
