import type { EndCommand, StartCommand } from "../system/agent-command.js";
import type { LeftFolder } from "../system/end-left-agent.js";

/** Which agents run when an operation is over. Plain data: the journal keeps it for whoever recovers. */
export interface AgentSide {
  /** Is started unless it runs already; null for none. */
  readonly start: StartCommand | null;
  readonly end: readonly EndCommand[];
  /** Where one may run on that none of those is; default: nowhere. */
  readonly left?: LeftFolder | null;
  /** Of what is started again: whether it ran, marked as ours, before anything was stopped. Missing in a journal of before. */
  readonly ran?: boolean;
}

/** No agent is touched. */
export const NO_AGENTS: AgentSide = { start: null, end: [] };

/** What an operation does to the agent while it runs, beside its files; each part is called at its moment. */
export interface LiveChange {
  /** What is to run where nothing happens, and where it did. */
  readonly before: AgentSide;
  readonly after: AgentSide;
  /** Whether files of the working tree are replaced: git's index is held then. */
  readonly inWorkTree: boolean;
  /** Puts what needs no standing agent into the operation's staging folder: `stage-state`. */
  stage(folder: string): Promise<void>;
  /** Before the commit point, as late as can be: stops the agent and saves its state, or starts the next one beside it. */
  handOver(folder: string): Promise<void>;
  /** Nothing happened: what ran before runs. */
  takeBack(): Promise<void>;
  /**
   * What is in place now runs. Its failure is the caller's to remember: all has happened. `switched` is false where somebody
   * else had a link that was to be switched: what runs where it leads is not ours to end.
   */
  settle(switched: boolean): Promise<void>;
}
