import { setTimeout as pause } from "node:timers/promises";
import type { StartCommand } from "./agent-command.js";
import { type CommandContext, checkHealth } from "./agent-process.js";
import { listWorkingIn, type SoughtAgent } from "./working-in.js";

export interface UnmarkedAgent extends SoughtAgent {
  readonly cwd: string;
  readonly health: StartCommand["health"];
}

/** Health that is asked here answers at once, or nobody does. */
const ANSWER_MS = 5000;

/** What was asked to end has this time, in milliseconds, before it is taken for something that runs on. */
const ENDING_MS = 2000;
const PAUSE_MS = 100;

/** Milliseconds that `whyItRunsOn` takes at most: its last question may be asked just before. */
export const LONGEST_LOOK_MS = ENDING_MS + ANSWER_MS;

/**
 * What speaks for an agent that others started, so that nothing of it is marked, a sentence; null where nothing does, undefined
 * where that cannot be seen.
 */
export async function whyItMayRun(agent: UnmarkedAgent, context: CommandContext): Promise<string | null | undefined> {
  const { health, cwd } = agent;
  if (health !== null) {
    const asked = { ...health, retries: 0, timeoutMs: Math.min(health.timeoutMs, ANSWER_MS) };
    if ((await checkHealth(asked, { ...context, graceMs: 0 })).ok) return "Its health passes.";
  }
  const there = await listWorkingIn(cwd, agent);
  if (there === undefined || there.length === 0) return there && null;
  const shown = there.slice(0, 3).map(({ id, name }) => `${name} (process ${id})`);
  return `In its folder works ${shown.join(", ")}.`;
}

/** The same once what ends has had the time to; null also where that cannot be seen. */
export async function whyItRunsOn(
  agent: UnmarkedAgent,
  { withinMs = ENDING_MS }: { readonly withinMs?: number },
  context: CommandContext,
): Promise<string | null> {
  const until = performance.now() + withinMs;
  for (;;) {
    const why = (await whyItMayRun(agent, context)) ?? null;
    if (why === null || performance.now() >= until || context.cancelled?.aborted) return why;
    await pause(PAUSE_MS, undefined, { signal: context.cancelled }).catch(() => {});
  }
}
