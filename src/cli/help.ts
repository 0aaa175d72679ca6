import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
import { COMMANDS } from "./commands/index.js";
import { findCommand, findGroup } from "./find-command.js";
import type { Output } from "./output.js";
import type { Program } from "./start.js";
import { formatTable } from "./table.js";

const USAGE: Readonly<Record<Program, string>> = {
  "git kai-version": "Usage: git kai-version [-C DIR] [--json] [--quiet] <command> [<arguments>]",
  kai: `Usage: kai [--json] [--quiet] <command> <agent> [<arguments>]

The agent is a folder of $KAI_AGENTS (default: ~/agents), or a path such as ./clerk; \`key\` and \`completion\` take none.`,
};

const INTRODUCTION = "Versions, signed releases, sandboxed trials and rollbacks for AI agents, with git itself.\n";

/**
 * The list of commands, of one group where `group` is given; `help COMMAND` is that command's own help. Gives the exit
 * status; E122 for a word that is no command.
 */
export async function showHelp(
  words: readonly string[],
  group: string | undefined,
  output: Output,
  env: NodeJS.ProcessEnv,
  program: Program,
): Promise<number> {
  const [first, second] = words;
  if (first === "help" && second !== undefined && !second.startsWith("-")) {
    const named = words.slice(1);
    const found = findCommand(named);
    const asked = output.json ? ["--help", "--json"] : ["--help"];
    if (found) return (await import("./run-command.js")).runCommand(await found.load(), asked, env);
    return showHelp([...named, "--help"], findGroup(named), output, env, program);
  }
  const asked = first === undefined || first === "help" || first === "--help" || first === "-h";
  if (!asked && group === undefined) throw unknownCommand(first);
  if (group !== undefined && second !== undefined && !second.startsWith("-")) {
    throw unknownCommand(`${group} ${second}`, group);
  }
  const entries = COMMANDS.filter((entry) => group === undefined || entry.name.startsWith(`${group} `));
  output.result({ commands: entries.map(({ name, summary }) => ({ name, summary })) }, ({ commands }) => {
    const table = formatTable(
      [{ title: "" }, { title: "" }],
      commands.map(({ name, summary }) => [`   ${name}`, summary]),
    ).trimStart();
    const head =
      group === undefined ? `${USAGE[program]}\n\n${INTRODUCTION}` : `Usage: ${program} ${group} <command>\n`;
    return `${head}\n   ${table}\n\n\`${program} <command> --help\` explains one of them.`;
  });
  return first === undefined || (group !== undefined && second === undefined) ? 2 : 0;
}

function unknownCommand(name: string, group?: string): KaiError {
  const close = nearest(
    name,
    COMMANDS.map((entry) => entry.name),
  );
  const list = `git kai-version ${group ?? "help"}`;
  return new KaiError("E122", `'${name}' is not a command of git kai-version.`, {
    hint: close ? `Did you mean \`git kai-version ${close}\`?` : `\`${list}\` lists the commands there are.`,
  });
}
