import { devNull } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { AgentCommand, StartCommand } from "./agent-command.js";
import { agentEnvironment } from "./agent-environment.js";
import { LogTail } from "./log-tail.js";
import { areGoneWithin, DEATH_MS, type EndedProcesses, endMarked, listMarked } from "./marked-processes.js";
import { runShell } from "./shell.js";
import { attemptStart, type HealthLimits } from "./start-attempt.js";
import { type StartShell, startShellHere } from "./start-shell.js";
import { whyFailed } from "./why-failed.js";

/** What became of a command. */
export interface CommandOutcome {
  readonly ok: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Both streams as they came, the last of it where it is long. */
  readonly output: string;
  /** Bytes of output that were not kept. */
  readonly dropped: number;
  readonly durationMs: number;
  /** Why it counts as failed, a sentence; null where it does not. */
  readonly error: string | null;
}

export interface HealthOutcome extends CommandOutcome {
  /** How often it was asked, and how many of these it did not pass. */
  readonly tries: number;
  readonly failures: number;
}

export interface StopOutcome extends CommandOutcome {
  /** What it took beside the command to end what had been started; null: nothing. */
  readonly forced: "SIGTERM" | "SIGKILL" | null;
  /** What the command failed with, whatever became of the agent; null where it did not. */
  readonly failed: string | null;
}

export interface StartOutcome extends CommandOutcome {
  /** Its health passed before it was started: then that does not tell it from what runs elsewhere. */
  readonly answeredBefore: boolean;
}

export interface CommandContext {
  /** The caller's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Is told what a command prints, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Between SIGTERM and SIGKILL. Default: 5 s. */
  readonly graceMs?: number | undefined;
  /** Ends what runs at once with SIGKILL, and what waits. */
  readonly cancelled?: AbortSignal | undefined;
  /** Where commands run. Default: on this host. */
  readonly startShell?: StartShell | undefined;
}

const GRACE_MS = 5000;
/** Between two questions for health: the first pause, which doubles up to the longest. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
const FOREIGN_ANSWER_MS = 1000;

/** Milliseconds that it takes at most beyond a command's time, until one that did not end was ended. */
export const COMMAND_ENDING_MS = GRACE_MS;
/** The same of `stopAgent`, with what had been started. */
export const STOP_ENDING_MS = COMMAND_ENDING_MS + GRACE_MS + DEATH_MS;
/** And of `startAgent`, which ends what an earlier start left before, and what it started behind a failure. */
export const START_ENDING_MS = FOREIGN_ANSWER_MS + 2 * (GRACE_MS + DEATH_MS);

const NOTHING_RAN = { exitCode: null, signal: null, timedOut: false, output: "", dropped: 0 } as const;

/** Runs a shell command to its end, in a session of its own. It never throws: what went wrong is in the outcome. */
export function runAgentCommand(command: AgentCommand, context: CommandContext): Promise<CommandOutcome> {
  return runCancellable(command, context, context.cancelled);
}

async function runCancellable(
  command: AgentCommand,
  { env, onOutput, graceMs = GRACE_MS, startShell }: CommandContext,
  cancelled: AbortSignal | undefined,
): Promise<CommandOutcome> {
  const { run, cwd, timeoutMs } = command;
  const own = agentEnvironment(env, command.env);
  const result = await runShell({ run, cwd, env: own, timeoutMs, graceMs, onOutput, cancelled, startShell });
  const { exitCode, signal, timedOut, output, dropped, durationMs } = result;
  const error = whyFailed(result, command);
  return { ok: error === null, exitCode, signal, timedOut, output, dropped, durationMs, error };
}

/** Asks for health until it passes: once, and `retries` times more with growing pauses. */
export function checkHealth(
  health: AgentCommand & { readonly retries: number },
  context: CommandContext,
): Promise<HealthOutcome> {
  return askHealth(health, context, { withinMs: Number.POSITIVE_INFINITY, cancelled: context.cancelled });
}

async function askHealth(
  health: AgentCommand & { readonly retries: number },
  context: CommandContext,
  { withinMs, cancelled }: { withinMs: number; cancelled?: AbortSignal | undefined },
): Promise<HealthOutcome> {
  const clock = startClock();
  let wait = FIRST_PAUSE_MS;
  let reason: string | null = null;
  for (let tries = 1; ; tries++) {
    const timeoutMs = Math.min(health.timeoutMs, Math.max(1, withinMs - clock()));
    const last = await runCancellable({ ...health, timeoutMs }, context, cancelled);
    if (last.ok) return { ...last, durationMs: clock(), tries, failures: tries - 1 };
    // One that was cut short says less than the one before.
    if (reason === null || timeoutMs === health.timeoutMs) reason = last.error;
    if (tries > health.retries || cancelled?.aborted || clock() + wait >= withinMs) {
      const often = tries === 1 ? "once" : `${tries} times`;
      const error = `It is not well: its health was asked for ${often}. ${reason}`;
      return { ...last, durationMs: clock(), error, tries, failures: tries };
    }
    await pause(wait, undefined, { signal: cancelled }).catch(() => {});
    wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
  }
}

/**
 * Why the agent cannot be taken for one that runs and is well, a sentence; null where it can. Its health command decides, asked
 * once; without one, whether anything runs that its start command started.
 */
export async function whyNotWell({ agent, health }: StartCommand, context: CommandContext): Promise<string | null> {
  const runs = (await listMarked(agent)).length > 0;
  if (health === null) return runs ? null : "Nothing runs that its start command started.";
  const { ok, error } = await runAgentCommand(health, asking(context));
  return ok ? null : `${runs ? "It runs, and is not well" : "It does not run"}: ${error}`;
}

/**
 * Stops the agent: by its command, if there is one; what `startAgent` started for `agent` and still runs is given the rest
 * of the command's time, then SIGTERM, then SIGKILL. Ok where none of it is left and the command did not fail.
 */
export async function stopAgent(
  stop: AgentCommand | null,
  agent: string,
  context: CommandContext,
): Promise<StopOutcome> {
  const clock = startClock();
  const outcome = stop === null ? { ok: true, ...NOTHING_RAN, error: null } : await runAgentCommand(stop, context);
  // A command that failed has asked nobody to end.
  const patienceMs = stop !== null && outcome.ok ? Math.max(0, stop.timeoutMs - clock()) : 0;
  await areGoneWithin(agent, patienceMs);
  const ended = await endMarked(agent, context.graceMs ?? GRACE_MS);
  const error = whyNotStopped(outcome.error, ended);
  return { ...outcome, ok: error === null, error, durationMs: clock(), forced: ended.signal, failed: outcome.error };
}

function whyNotStopped(failed: string | null, { left }: EndedProcesses): string | null {
  if (left.length > 0) return `It still runs, and SIGKILL does not end it: ${named(left)}.`;
  return failed === null ? null : `The command failed, although nothing that was started runs any more. ${failed}`;
}

const named = (processes: EndedProcesses["left"]): string =>
  processes.map(({ id, name }) => `${name} (process ${id})`).join(", ");

/**
 * Starts the agent, unless it runs already and is well, and waits until its health command says that it is; without one,
 * until the command has ended with status 0 or ran for a second. What it starts outlives this process and its terminal, has
 * none of its descriptors, and is marked with `KAI_AGENT`. Where it fails, or is `cancelled`, what it started is ended again.
 * It never throws.
 */
export async function startAgent(command: StartCommand, context: CommandContext): Promise<StartOutcome> {
  const clock = startClock();
  const running = await listMarked(command.agent);
  const answers = await isAnswering(command, running.length > 0, context);
  const answeredBefore = running.length === 0 && answers;
  if (running.length > 0 && answers)
    return { ok: true, ...NOTHING_RAN, durationMs: clock(), error: null, answeredBefore };
  const { left } = running.length > 0 ? await endMarked(command.agent, context.graceMs ?? GRACE_MS) : { left: [] };
  if (left.length > 0) {
    const error = `What is left of an earlier start cannot be ended: ${named(left)}.`;
    return { ok: false, ...NOTHING_RAN, durationMs: clock(), error, answeredBefore };
  }
  const { log, missing } = await openLog(command.log, context.onOutput);
  const over = new AbortController();
  const followed = log.follow(over.signal);
  const { health } = command;
  const { startShell = startShellHere } = context;
  const { ok, end, illness } = await attemptStart({
    command,
    env: context.env,
    log: log.descriptor,
    graceMs: context.graceMs ?? GRACE_MS,
    startShell,
    answeredBefore: answers,
    askHealth: health && ((limits) => askHealth(health, asking(context), either(limits, context))),
  });
  over.abort();
  await followed;
  const { output, dropped } = await log.end();
  const printed = { output: missing + output, dropped };
  const late = clock() >= command.timeoutMs;
  const how = { ...NOTHING_RAN, ...end, timedOut: !ok && late, ...printed };
  const error = ok ? null : (illness ?? whyFailed({ problem: null, ...how }, command));
  return {
    ok,
    exitCode: how.exitCode,
    signal: how.signal,
    timedOut: how.timedOut,
    ...printed,
    durationMs: clock(),
    error,
    answeredBefore,
  };
}

/** An agent without a log is better than none, on a full disk above all: then it is said that there is none. */
async function openLog(
  file: string,
  onOutput: CommandContext["onOutput"],
): Promise<{ readonly log: LogTail; readonly missing: string }> {
  try {
    return { log: await LogTail.open(file, onOutput), missing: "" };
  } catch (cause) {
    const missing = `What it prints is lost, as its log could not be opened: ${(cause as Error).message}\n`;
    onOutput?.(missing);
    return { log: await LogTail.open(devNull, onOutput), missing };
  }
}

/** Limits that whoever asked for the start may cut short, too. */
const either = (limits: HealthLimits, { cancelled }: CommandContext): HealthLimits => ({
  ...limits,
  cancelled: cancelled === undefined ? limits.cancelled : AbortSignal.any([limits.cancelled, cancelled]),
});

/** Whether the health command passes before anything is started; without one, whether anything runs. */
async function isAnswering({ health }: StartCommand, runs: boolean, context: CommandContext): Promise<boolean> {
  if (health === null) return runs;
  // Where nothing of ours runs nobody should answer, so a command that waits for an answer is not waited for.
  const timeoutMs = runs ? health.timeoutMs : Math.min(health.timeoutMs, FOREIGN_ANSWER_MS);
  return (await runAgentCommand({ ...health, timeoutMs }, asking(context))).ok;
}

/** Health is asked unheard, and gets no time to end. */
const asking = ({ env, startShell }: CommandContext): CommandContext => ({ env, startShell, graceMs: 0 });

function startClock(): () => number {
  const started = performance.now();
  return () => Math.round(performance.now() - started);
}
