import type { ResolvedAgents } from "../version/resolved-agents.js";

/**
 * Which other agents are resolved otherwise than a record has it, a phrase each. One that is not resolved now is no change:
 * nothing newer is there to be depended on.
 */
export function changedAgents(recorded: ResolvedAgents, resolved: ResolvedAgents): string[] {
  return Object.entries(resolved).flatMap(([id, version]) => {
    const before = Object.hasOwn(recorded, id) ? recorded[id] : null;
    if (version === null || version === before) return [];
    return [before === null || before === undefined ? `${id} is ${version}` : `${id} ${before} -> ${version}`];
  });
}

/** Those of which no version in the range is in force here. */
export const unresolvedAgents = (resolved: ResolvedAgents): string[] =>
  Object.keys(resolved).filter((id) => resolved[id] === null);
