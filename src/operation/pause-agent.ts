import type { Repository } from "../git/repository.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import {
  type CommandContext,
  type CommandOutcome,
  type StopOutcome,
  startAgent,
  stopAgent,
  whyNotWell,
} from "../system/agent-process.js";
import { appendRecord, beginJournal, removeJournal } from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";

/** A while in which an agent stands still before an operation is carried out. */
export interface Pause {
  /** ULID of the operation; it begins a journal of its own when this one is ended. */
  readonly operation: string;
  readonly kind: string;
  readonly stop: AgentCommand;
  readonly start: StartCommand;
}

export interface Paused<T> {
  readonly stopped: StopOutcome;
  readonly worked: PromiseSettledResult<T>;
  /** Whether it runs again, and what its command printed. */
  readonly started: Pick<CommandOutcome, "ok" | "error" | "output">;
  /** From the stop until it was well again. */
  readonly durationMs: number;
}

/**
 * Stops the agent, does `work` whether or not it could be stopped, and starts it again whatever became of either. Under the
 * operation lock; a journal says how it is started, for whoever recovers after a kill in between.
 */
export async function pauseAgent<T>(
  repository: Repository,
  { operation, kind, stop, start }: Pause,
  context: CommandContext,
  work: () => Promise<T>,
): Promise<Paused<T>> {
  const { commonDir, workTree = null } = repository;
  const journal = await beginJournal(kaiFolderOf(repository).journal, {
    step: "begin",
    operation,
    kind,
    refs: [],
    commonDir,
    indexOf: null,
    workTree,
    agents: { before: { start, end: [] }, after: { start, end: [] } },
  });
  let paused: Paused<T>;
  try {
    await appendRecord(journal, { step: "handing-over" });
    const since = performance.now();
    const stopped = await stopAgent(stop, start.agent, context);
    const [worked] = await Promise.allSettled([work()]);
    const started = await startAgain(start, stopped, { ...context, cancelled: undefined });
    paused = { stopped, worked, started, durationMs: Math.round(performance.now() - since) };
  } finally {
    await removeJournal(journal);
  }
  return paused;
}

/** What could not be stopped may run on, and gets no second one beside it. */
async function startAgain(
  start: StartCommand,
  stopped: StopOutcome,
  context: CommandContext,
): Promise<Paused<unknown>["started"]> {
  const runsOn = !stopped.ok && (await whyNotWell(start, context)) === null;
  return runsOn ? { ok: true, error: null, output: "" } : startAgent(start, context);
}
