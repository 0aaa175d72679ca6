import path from "node:path";
import { withoutRepository } from "../git/environment.js";
import { bareCommandLine, type CommandLine } from "./bare-command-line.js";
import { consoleOutput } from "./console-output.js";
import type { CommandContext } from "./context.js";
import type { Command } from "./define-command.js";
import { isTerminal } from "./standard-output.js";

/** Parses `argv` and runs the command; gives the exit status. */
export async function runCommand(command: Command, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const line = bareCommandLine(command, argv) ?? (await parsedLine(command, argv, env));
  // Help was asked for, and printed.
  if (line === undefined) return 0;
  const { input, globals } = line;
  const output = consoleOutput(
    { json: globals.json === true, quiet: globals.quiet === true, color: globals.color !== false },
    env,
  );
  const interactive = !output.json && isTerminal(0) && isTerminal(2);
  const context: CommandContext = {
    cwd: path.resolve(globals.C ?? "."),
    // -C names another repository than the one that a hook's variables tie us to.
    env: globals.C === undefined ? env : withoutRepository(env),
    now: () => new Date(),
    output,
    interactive,
    askSecret: async (question) => (await import("./prompt.js")).askSecret(question),
    choose: async (question, options) => (await import("./prompt.js")).choose(question, options),
  };
  try {
    await command.run(input as never, context);
  } finally {
    output.done();
  }
  return Number(process.exitCode ?? 0);
}

/** Undefined where help was asked for, which is printed. */
async function parsedLine(
  command: Command,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandLine | undefined> {
  const { parseCommandLine } = await import("./parse-command-line.js");
  return parseCommandLine(command, argv, (help, globals) => {
    const { name, summary } = command;
    const output = consoleOutput({ json: globals.json === true, quiet: false, color: false }, env);
    output.result({ commands: [{ name, summary }], help }, () => help);
  });
}
