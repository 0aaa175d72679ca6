import { type CommandOutcome, type StopOutcome, startAgent } from "../system/agent-process.js";
import { endAgents } from "../system/end-agents.js";
import type { AgentSide } from "./live-change.js";

/** What became of the agents of an operation that was interrupted; null for none to start, and none to end. */
export interface SettledAgents {
  readonly started: CommandOutcome | null;
  readonly ended: StopOutcome | null;
}

/** Starts the agent that is to run, and ends the others, unless they are to `stay` where it is not well. */
export async function settleAgents(
  { start, end }: AgentSide,
  env: NodeJS.ProcessEnv,
  stay: boolean,
): Promise<SettledAgents> {
  const started = start && (await startAgent(start, { env }));
  const ended = stay && started?.ok === false ? null : await endAgents(end, { env });
  return { started, ended };
}
