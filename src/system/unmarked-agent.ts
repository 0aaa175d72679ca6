import type { StartCommand } from "./agent-command.js";
import { type CommandContext, checkHealth } from "./agent-process.js";
import { listWorkingIn, type SoughtAgent } from "./working-in.js";

export interface UnmarkedAgent extends SoughtAgent {
  readonly cwd: string;
  readonly health: StartCommand["health"];
}

/** Health that is asked here answers at once, or nobody does. */
const ANSWER_MS = 5000;

/**
 * What speaks for an agent that others started, so that nothing of it is marked, a sentence; null where nothing does, undefined
 * where that cannot be seen.
 */
export async function whyItMayRun(agent: UnmarkedAgent, context: CommandContext): Promise<string | null | undefined> {
  const { health, cwd } = agent;
  if (health !== null) {
    const asked = { ...health, retries: 0, timeoutMs: Math.min(health.timeoutMs, ANSWER_MS) };
    if ((await checkHealth(asked, context)).ok) return "Its health passes.";
  }
  const there = await listWorkingIn(cwd, agent);
  if (there === undefined || there.length === 0) return there && null;
  const shown = there.slice(0, 3).map(({ id, name }) => `${name} (process ${id})`);
  return `In its folder works ${shown.join(", ")}.`;
}
