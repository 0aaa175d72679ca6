import { type CommandOutcome, type StopOutcome, startAgent } from "../system/agent-process.js";
import { type EndedBeside, endBeside } from "../system/end-beside.js";
import { startAgain } from "../system/start-again.js";
import { asSentence } from "../system/why-failed.js";
import type { AgentSide } from "./live-change.js";

/** What became of the agents of an operation that was interrupted; null for none to start, and none to end. */
export interface SettledAgents {
  /** `again`: what ended the others ended it, too, or made it ill, so that it was started once more. */
  readonly started: (CommandOutcome & { readonly runsOn?: string | null; readonly again: boolean }) | null;
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
    happened
      ? { ...(await startAgent(command, { env })), runsOn: null }
      : startAgain({ start: command, ran }, { ended: false }, { env });
  const first = start && (await run(start));
  const stay = happened && first?.ok === false;
  const runs = first?.ok && first.runsOn === null ? start : null;
  const { ended, again }: EndedBeside = stay ? { ended: null, again: null } : await endBeside(runs, end, left, { env });
  if (first === null) return { started: null, ended };
  const started = { ...first, ...again, again: again !== null };
  if (started.ok) return { started, ended };
  const now = stay ? "What it started was ended again." : "No agent runs now.";
  return { started: { ...started, error: `${asSentence(started.error ?? "")} ${now}` }, ended };
}
