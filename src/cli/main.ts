import { consoleOutput } from "./console-output.js";
import { failureOf } from "./failure.js";
import { findCommand, findGroup } from "./find-command.js";
import { leadingOptionsOf } from "./leading-options.js";
import type { Program } from "./start.js";

/** Runs one command line and gives its exit status. */
export async function main(typed: readonly string[], env: NodeJS.ProcessEnv, program: Program): Promise<number> {
  // Only how to word a failure; the command's own parser decides what --json means.
  const output = consoleOutput({ json: wantsJson(typed), quiet: false }, env);
  try {
    const argv = program === "kai" ? await withAgentFolder(typed, env) : typed;
    const leading = leadingOptionsOf(argv);
    const found = findCommand(leading.rest);
    if (!found) {
      const { showHelp } = await import("./help.js");
      return await showHelp(leading.rest, findGroup(leading.rest), output, env, program);
    }
    const { runCommand } = await import("./run-command.js");
    return await runCommand(await found.load(), [...leading.options, ...found.argv], env);
  } catch (cause) {
    const failure = failureOf(cause, env);
    output.error(failure);
    return failure.exit;
  }
}

/** The command line with the agent's folder in the place of its name. */
async function withAgentFolder(typed: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const { kaiArguments } = await import("./kai-arguments.js");
  const { argv, agent } = kaiArguments(typed, env);
  if (agent !== undefined) (await import("./require-agent-folder.js")).requireAgentFolder(agent, env);
  return argv;
}

const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
};
