import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, type StopOutcome, stopAgent } from "../system/agent-process.js";
import { listMarked } from "../system/marked-processes.js";
import { whyItMayRun, whyItRunsOn } from "../system/unmarked-agent.js";
import { asSentence, behindColon } from "../system/why-failed.js";
import type { LifecycleCommands } from "../version/lifecycle-commands.js";

export interface StopRequest {
  /** Of the version that runs. */
  readonly before: LifecycleCommands;
  /** How that is started, whether or not the policy has it started. */
  readonly startAgain: StartCommand | null;
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
  /** Whether it is known that nothing of it runs any more. */
  readonly ended: boolean;
}

/**
 * Stops the agent: what counts is that nothing of it runs, not how its command ended. What was started here is seen, and ended
 * where the command did not; one that crashed before needs no command. Who was started by others is not marked: where that may
 * still run it fails, unless forced.
 */
export async function stopRunningAgent(request: StopRequest, context: CommandContext): Promise<Stopped> {
  const { before, force, timeoutMs } = request;
  const command = before.stop && { ...before.stop, timeoutMs };
  const ran = (await listMarked(before.agent)).length > 0;
  const outcome = await stop(command, request, context);
  if (context.cancelled?.aborted) return { outcome, remark: null, ended: outcome.ok && ran };
  if (outcome.ok) {
    const runsOn = ran ? null : await whyRunsOn(request, context);
    if (runsOn === null) return { outcome, remark: null, ended: true };
    return force
      ? { outcome, remark: runsOn, ended: false }
      : { outcome: { ...outcome, ok: false, error: runsOn }, remark: null, ended: false };
  }
  const left = (await listMarked(before.agent)).length > 0;
  const doubt = left || ran || command === null ? null : await whyDoubted(before, command, context);
  // That nothing runs which was started here says nothing of what others started.
  const error =
    doubt === null ? asSentence(outcome.error ?? "") : `${asSentence(outcome.failed ?? "It failed")} ${doubt}`;
  const ended = !left && doubt === null;
  const reached = force || ended;
  return reached
    ? { outcome: { ...outcome, ok: true, error: null }, remark: error, ended }
    : { outcome: { ...outcome, error }, remark: null, ended };
}

/** In an emergency nobody is asked first; who was started by others than us can only be asked. */
async function stop(
  command: AgentCommand | null,
  { before, emergency }: StopRequest,
  context: CommandContext,
): Promise<StopOutcome> {
  if (!emergency) return stopAgent(command, before.agent, context);
  const killed = await stopAgent(null, before.agent, { ...context, graceMs: 0 });
  const none = killed.ok && killed.forced === null;
  return none && command !== null ? stopAgent(command, before.agent, context) : killed;
}

/**
 * Why it may run although nothing failed, a sentence: its command may have stopped nothing (`systemctl stop other || true`), and
 * without one what others started is not ended. In an emergency nobody is waited for or asked.
 */
async function whyRunsOn(
  { before: { stop, health: asked }, startAgain, emergency }: StopRequest,
  context: CommandContext,
): Promise<string | null> {
  const command = stop ?? startAgain;
  if (command === null) return null;
  const { cwd, env } = command;
  const health = emergency ? null : asked;
  const sought = { cwd, health, run: startAgain?.run, operation: env["KAI_OPERATION"] };
  const why = await whyItRunsOn(sought, emergency ? { withinMs: 0 } : {}, context);
  if (why === null) return null;
  const did = stop === null ? "Without lifecycle.stop nothing of it was ended" : "The command ended with 0";
  return `${did}, and it may run, started by others than us: ${behindColon(why)}`;
}

/** Why an agent of which nothing was seen may run all the same, a sentence; null where nothing speaks for it. */
async function whyDoubted(
  { health, start }: LifecycleCommands,
  { cwd, env }: AgentCommand,
  context: CommandContext,
): Promise<string | null> {
  const why = await whyItMayRun({ cwd, health, run: start?.run, operation: env["KAI_OPERATION"] }, context);
  if (why === undefined) return "It may run, started by others than us: what runs cannot be seen on this system.";
  return why && `It may run, started by others than us: ${behindColon(why)}`;
}
