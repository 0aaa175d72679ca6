import type { StartCommand } from "../system/agent-command.js";

/** What an operation does to the agent while it runs, beside its files; each part is called at its moment. */
export interface LiveChange {
  /** How it is started again where nothing happens, and where it did: the journal keeps them. Null: not at all. */
  readonly before: StartCommand | null;
  readonly after: StartCommand | null;
  /** Puts what needs no standing agent into the operation's staging folder: `stage-state`. */
  stage(folder: string): Promise<void>;
  /** Stops the agent, and saves its state now that it stands still. */
  stop(folder: string): Promise<void>;
  /** Starts it as it was: nothing happened. */
  startAgain(): Promise<void>;
  /** Starts what is in place now. Its failure is the caller's to remember: all has happened. */
  start(): Promise<void>;
}
