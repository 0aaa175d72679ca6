import type { AgentCommand, StartCommand } from "./agent-command.js";
import { runProcess } from "./process.js";

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

export interface CommandContext {
  /** The caller's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Is told what a command prints, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** Runs a shell command to its end. */
export async function runAgentCommand(command: AgentCommand, { env }: CommandContext): Promise<CommandOutcome> {
  const { run, cwd, timeoutMs } = command;
  const result = await runProcess({
    file: "sh",
    args: ["-c", run],
    cwd,
    env: { ...env, ...command.env },
    timeoutMs,
  });
  return {
    ok: result.exitCode === 0,
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    timedOut: result.timedOut,
    output: result.stdout.toString() + result.stderr.toString(),
    dropped: result.dropped,
    durationMs: result.durationMs,
    error: result.exitCode === 0 ? null : `it ended with ${result.exitCode ?? result.signal}`,
  };
}

/** Starts the agent, unless it runs already and is well, and waits until its health command says that it is. */
export function startAgent(command: StartCommand, context: CommandContext): Promise<CommandOutcome> {
  return runAgentCommand(command, context);
}
