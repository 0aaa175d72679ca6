import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
import { COMMANDS, findCommand, findGroup } from "./commands/index.js";
import type { Output } from "./output.js";
import { formatTable } from "./table.js";

const INTRODUCTION = `Usage: git kai-version [-C DIR] [--json] [--quiet] <command> [<arguments>]

Versions, signed releases, sandboxed trials and rollbacks for AI agents, with git itself.
`;

/**
 * The list of commands, of one group where `group` is given; `help COMMAND` is that command's own help. Gives the exit
 * status; E122 for a word that is no command.
 */
export async function showHelp(
  words: readonly string[],
  group: string | undefined,
  output: Output,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const [first, second] = words;
  if (first === "help" && second !== undefined && !second.startsWith("-")) {
    const named = words.slice(1);
    const found = findCommand(named);
    if (found) return (await import("./run-command.js")).runCommand(await found.load(), ["--help"], env);
    return showHelp([...named, "--help"], findGroup(named), output, env);
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
    return `${group === undefined ? INTRODUCTION : `Usage: git kai-version ${group} <command>\n`}\n   ${table}\n\n\`git kai-version <command> --help\` explains one of them.`;
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
