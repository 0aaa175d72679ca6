import type { Repository } from "../git/repository.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, type StopOutcome, stopAgent } from "../system/agent-process.js";
import { listMarked } from "../system/marked-processes.js";
import { startAgain } from "../system/start-again.js";
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
  const before = { start, ran: (await listMarked(start.agent)).length > 0 };
  const journal = await beginJournal(kaiFolderOf(repository).journal, {
    step: "begin",
    operation,
    kind,
    refs: [],
    commonDir,
    indexOf: null,
    workTree,
    agents: { before: { ...before, end: [] }, after: { start, end: [] } },
  });
  let paused: Paused<T>;
  try {
    await appendRecord(journal, { step: "handing-over" });
    const since = performance.now();
    const stopped = await stopAgent(stop, start.agent, context);
    const [worked] = await Promise.allSettled([work()]);
    const started = await startAgain(before, { ended: stopped.ok }, { ...context, cancelled: undefined });
    paused = { stopped, worked, started, durationMs: Math.round(performance.now() - since) };
  } finally {
    await removeJournal(journal);
  }
  return paused;
}
