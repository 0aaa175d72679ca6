import type { StartCommand } from "./agent-command.js";
import { type CommandContext, checkHealth, type StartOutcome, startAgent } from "./agent-process.js";
import { listMarked } from "./marked-processes.js";
import { whyItMayRun } from "./unmarked-agent.js";
import { behindColon } from "./why-failed.js";
import { listWorkingIn } from "./working-in.js";

/** An agent before it is stopped. Plain data: a journal keeps it for recovery. */
export interface AgentBefore {
  /** How it is started again; its health is asked only where it was well. */
  readonly start: StartCommand;
  /** Whether something ran that we had started: then what runs is seen by its marks. */
  readonly ran: boolean;
  /** Whether anything spoke for it that it ran: of one that others started nobody can be sure. */
  readonly seen: boolean;
}

export interface StartedAgain extends StartOutcome {
  /** Why it was not started: it runs on, or may; null where it was. */
  readonly runsOn: string | null;
}

/** Health that is asked here answers at once; one that is slower is taken for ill, which only means that it is kept as it is. */
const ANSWER_MS = 5000;

/**
 * Looks at an agent that is about to be stopped. One that is ill is to run again as it was, so it is not asked for health then; in an
 * emergency nobody is asked.
 */
export async function lookBefore(
  start: StartCommand,
  { urgent }: { readonly urgent: boolean },
  context: CommandContext,
): Promise<AgentBefore> {
  const ran = (await listMarked(start.agent)).length > 0;
  const { health, cwd, run, env: told } = start;
  const works = ran ? undefined : await listWorkingIn(cwd, { run, operation: told["KAI_OPERATION"] });
  const seen = ran || works === undefined || works.length > 0;
  if (health === null) return { start, ran, seen };
  const asked = { ...health, retries: 0, timeoutMs: Math.min(health.timeoutMs, ANSWER_MS) };
  const { env, startShell } = context;
  const well = !urgent && (await checkHealth(asked, { env, startShell, graceMs: 0 })).ok;
  return { start: well ? start : { ...start, health: null }, ran, seen: seen || well };
}

/**
 * Starts an agent again that was to be stopped for something that did not happen. What could not be stopped gets no second one
 * beside it: where nothing of it was marked, and it is not known to have `ended`, its health and its folder are asked whether it
 * runs on.
 */
export async function startAgain(
  { start, ran }: Pick<AgentBefore, "start" | "ran">,
  { ended }: { readonly ended: boolean },
  context: CommandContext,
): Promise<StartedAgain> {
  const seen = ended || ran || (await listMarked(start.agent)).length > 0;
  const { KAI_OPERATION: operation } = start.env;
  const why = seen ? null : await whyItMayRun({ ...start, operation }, context);
  if (!why) return { ...(await startAgent(start, context)), runsOn: null };
  const runsOn = `It was not started again, because it runs on, or may: ${behindColon(why)}`;
  const nothing = { exitCode: null, signal: null, timedOut: false, output: "", dropped: 0, durationMs: 0 };
  return { ok: true, ...nothing, error: null, answeredBefore: false, runsOn };
}
