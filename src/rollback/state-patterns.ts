import type { AgentConfig } from "../agent/config.js";
import type { StatePatterns } from "../state/find-state-files.js";

/**
 * What is live state on one side of a rollback or on the other: all of it is saved before, and what one side alone has goes
 * and comes with it. Only what neither counts as state is left out.
 */
export function statePatternsOf(one: AgentConfig, other: AgentConfig): StatePatterns {
  const [a, b] = [one.version_management.artifacts.state, other.version_management.artifacts.state];
  return {
    include: [...new Set([...a.include, ...b.include])],
    exclude: a.exclude.filter((glob) => b.exclude.includes(glob)),
  };
}
