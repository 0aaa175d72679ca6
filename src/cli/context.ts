import type { Output } from "./output.js";

/** What a command gets from the program: everything that it may not reach for itself. */
export interface CommandContext {
  /** The folder that `-C` names, or the working directory. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly output: Output;
  /** True where somebody can answer a question: a terminal on stdin and stderr, and no --json. */
  readonly interactive: boolean;
  /** Asks on the terminal without echo; only where `interactive`. */
  readonly askSecret: (question: string) => Promise<string>;
  /** Offers a choice on the terminal; undefined where none is taken; only where `interactive`. */
  readonly choose: (question: string, options: readonly string[]) => Promise<string | undefined>;
}
