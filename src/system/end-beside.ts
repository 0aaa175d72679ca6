import type { EndCommand, StartCommand } from "./agent-command.js";
import { type CommandContext, checkHealth, type StartOutcome, type StopOutcome, startAgent } from "./agent-process.js";
import { endLeftAgent, type LeftFolder } from "./end-left-agent.js";
import { areGoneWithin, listMarked } from "./marked-processes.js";

/** What was asked to end together with the other one may take a moment longer than that, in milliseconds. */
const ENDING_MS = 300;

export interface EndedBeside {
  /** As of `endLeftAgent`. */
  readonly ended: StopOutcome | null;
  /** What became of starting the one that is to run once more; null where it had survived. */
  readonly again: StartOutcome | null;
}

/**
 * Ends agents beside one that runs and is well, which is started once more where it did not survive that: a stop command may
 * not tell the two apart (`pkill`), or take away what both use. Nothing is left then that would end it again.
 */
export async function endBeside(
  start: StartCommand | null,
  ends: readonly EndCommand[],
  left: LeftFolder | null,
  context: CommandContext,
): Promise<EndedBeside> {
  // One that runs where it has no marks, such as in a container, is not gone because it has none.
  const marked = start !== null && ends.length > 0 && (await listMarked(start.agent)).length > 0;
  const ended = await endLeftAgent(ends, left, context);
  if (start === null || ends.length === 0 || ended === null) return { ended, again: null };
  const asked = ends.some(({ stop }) => stop !== null);
  const gone = marked && (await areGoneWithin(start.agent, asked ? ENDING_MS : 0));
  const survived = !gone && (!asked || (await isWell(start, context)));
  return { ended, again: survived ? null : await startAgent(start, context) };
}

async function isWell({ health }: StartCommand, { env, startShell }: CommandContext): Promise<boolean> {
  return health === null || (await checkHealth(health, { env, startShell, graceMs: 0 })).ok;
}
