import type { EndCommand } from "./agent-command.js";
import { type CommandContext, type StopOutcome, stopAgent } from "./agent-process.js";
import { listMarked } from "./marked-processes.js";

/** Ends each of these agents that still runs. Gives the first failure, or else what became of the first; null where none ran. */
export async function endAgents(ends: readonly EndCommand[], context: CommandContext): Promise<StopOutcome | null> {
  const outcomes: StopOutcome[] = [];
  for (const { agent, stop, ran } of ends) {
    const asked = stop !== null && !ran;
    if (asked || (await listMarked(agent)).length > 0) outcomes.push(await stopAgent(stop, agent, context));
  }
  return outcomes.find(({ ok }) => !ok) ?? outcomes[0] ?? null;
}
