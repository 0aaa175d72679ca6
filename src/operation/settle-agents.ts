import { type CommandOutcome, type StopOutcome, startAgent } from "../system/agent-process.js";
import { endLeftAgent } from "../system/end-left-agent.js";
import { startAgain } from "../system/start-again.js";
import { asSentence } from "../system/why-failed.js";
import type { AgentSide } from "./live-change.js";

/** What became of the agents of an operation that was interrupted; null for none to start, and none to end. */
export interface SettledAgents {
  readonly started: (CommandOutcome & { readonly runsOn?: string | null }) | null;
  readonly ended: StopOutcome | null;
}

/**
 * Starts the agent that is to run, and ends the others, or says that one runs on. Where the operation `happened` these stay if it is
 * not well; else it is the one of before, and gets no second one beside it where it was never stopped.
 */
export async function settleAgents(
  { start, end, ran = false, left = null }: AgentSide,
  env: NodeJS.ProcessEnv,
  happened: boolean,
): Promise<SettledAgents> {
  const run = async (command: NonNullable<typeof start>) =>
    happened ? startAgent(command, { env }) : startAgain({ start: command, ran }, { ended: false }, { env });
  const started = start && (await run(start));
  const ended = happened && started?.ok === false ? null : await endLeftAgent(end, left, { env });
  if (started?.ok !== false) return { started, ended };
  return {
    started: {
      ...started,
      error: `${asSentence(started.error ?? "")} ${happened ? "What it started was ended again." : "No agent runs now."}`,
    },
    ended,
  };
}
