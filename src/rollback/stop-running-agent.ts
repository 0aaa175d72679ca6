import type { AgentCommand } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, checkHealth, stopAgent } from "../system/agent-process.js";
import { listMarked } from "../system/marked-processes.js";
import { listWorkingIn } from "../system/working-in.js";
import type { LifecycleCommands } from "../version/lifecycle-commands.js";

export interface StopRequest {
  /** Of the version that runs. */
  readonly before: LifecycleCommands;
  /** Whether what was started is killed at once. */
  readonly emergency: boolean;
  /** Whether to go on where it may still run. */
  readonly force: boolean;
  /** The time that its command has, in milliseconds. */
  readonly timeoutMs: number;
}

export interface Stopped {
  /** Ok where nothing of it runs any more, also where its command failed. */
  readonly outcome: CommandOutcome;
  /** What its command failed with, or why it may still run, where that holds nothing up. */
  readonly remark: string | null;
}

/**
 * Stops the agent: what counts is that nothing of it runs, not how its command ended. What was started here is seen, and ended
 * where the command did not; one that crashed before needs no command. Who was started by others cannot be seen: where that may
 * still run it fails, unless forced.
 */
export async function stopRunningAgent(request: StopRequest, context: CommandContext): Promise<Stopped> {
  const { before, force, timeoutMs } = request;
  const command = before.stop && { ...before.stop, timeoutMs };
  const ran = (await listMarked(before.agent)).length > 0;
  const outcome = await stop(command, request, context);
  if (outcome.ok || context.cancelled?.aborted) return { outcome, remark: null };
  const left = (await listMarked(before.agent)).length > 0;
  const doubt = left || ran || command === null ? null : await whyItMayRun(before, command.cwd, context);
  const error = [outcome.error, doubt].flatMap((each) => (each === null ? [] : asSentence(each))).join(" ");
  const reached = force || (!left && doubt === null);
  return reached
    ? { outcome: { ...outcome, ok: true, error: null }, remark: error }
    : { outcome: { ...outcome, error }, remark: null };
}

/** What a command printed last need not end as one. */
const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** In an emergency nobody is asked first; who was started by others than us can only be asked. */
async function stop(
  command: AgentCommand | null,
  { before, emergency }: StopRequest,
  context: CommandContext,
): Promise<CommandOutcome> {
  if (!emergency) return stopAgent(command, before.agent, context);
  const killed = await stopAgent(null, before.agent, { ...context, graceMs: 0 });
  const none = killed.ok && killed.forced === null;
  return none && command !== null ? stopAgent(command, before.agent, context) : killed;
}

/** Health that is asked here answers at once, or nobody does. */
const ANSWER_MS = 5000;

/** Why an agent of which nothing was seen may run all the same, a sentence; null where nothing speaks for it. */
async function whyItMayRun(
  { health }: LifecycleCommands,
  folder: string,
  context: CommandContext,
): Promise<string | null> {
  if (health !== null) {
    const asked = { ...health, retries: 0, timeoutMs: Math.min(health.timeoutMs, ANSWER_MS) };
    if ((await checkHealth(asked, context)).ok) return "But its health passes: it may run, started by others than us.";
  }
  const there = await listWorkingIn(folder);
  if (there === undefined) return "But what runs cannot be seen on this system.";
  if (there.length === 0) return null;
  const shown = there.slice(0, 3).map(({ id, name }) => `${name} (process ${id})`);
  return `But it may run, started by others than us: in its folder works ${shown.join(", ")}.`;
}
