import type { EndCommand } from "./agent-command.js";
import type { CommandContext, StopOutcome } from "./agent-process.js";
import { endAgents } from "./end-agents.js";
import { whyItRunsOn } from "./unmarked-agent.js";
import { behindColon } from "./why-failed.js";
import type { SoughtAgent } from "./working-in.js";

/** The folder of the version that is left, and what is known of the agent there. Plain data. */
export interface LeftFolder extends SoughtAgent {
  readonly cwd: string;
}

/**
 * Ends these agents, and looks whether one runs on in the folder that is left, started by others and stopped by nothing: then it
 * is not ok. Its health is not asked, because the new agent may answer it. Null where none ran.
 */
export async function endLeftAgent(
  ends: readonly EndCommand[],
  left: LeftFolder | null,
  context: CommandContext,
): Promise<StopOutcome | null> {
  const started = performance.now();
  const outcome = await endAgents(ends, context);
  if (left === null || outcome?.ok === false) return outcome;
  const why = await whyItRunsOn({ ...left, health: null }, {}, context);
  if (why === null) return outcome;
  const error = `It may run on, started by others than us: ${behindColon(why)}`;
  const durationMs = Math.round(performance.now() - started);
  return { ...(outcome ?? NOTHING_RAN), ok: false, durationMs, error };
}

const NOTHING_RAN = {
  exitCode: null,
  signal: null,
  timedOut: false,
  output: "",
  dropped: 0,
  forced: null,
  failed: null,
} as const;
