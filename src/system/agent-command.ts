import path from "node:path";
import { AGENT_MARK } from "./agent-environment.js";

/** A shell command of kai.yaml, with where it runs and for how long. Plain data: a journal keeps it for recovery. */
export interface AgentCommand {
  readonly run: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Beside the caller's own environment, which never hands over keys and passphrases. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command as it is run in a folder whose parent is thrown away in the end: marked with that, so that whoever throws it away
 * after a crash can end first what still runs there.
 */
export const inScratch = (command: AgentCommand, cwd: string): AgentCommand => ({
  ...command,
  cwd,
  env: { ...command.env, [AGENT_MARK]: path.dirname(cwd) },
});

/** The command that starts the agent, and what tells that it is well. */
export interface StartCommand extends AgentCommand {
  /** In the environment (`KAI_AGENT`) of all that it starts: so it can be found again and stopped. */
  readonly agent: string;
  /** The file that takes the output, because it goes on after the command that started it. */
  readonly log: string;
  readonly health: (AgentCommand & { readonly retries: number }) | null;
}

/** An agent that is to end. */
export interface EndCommand {
  /** What its processes are marked with. */
  readonly agent: string;
  /** Asks it to end before it is signalled; null where nothing does. */
  readonly stop: AgentCommand | null;
  /** Whether it ran when that was planned: one that did, and does no more, is not asked. */
  readonly ran: boolean;
}
