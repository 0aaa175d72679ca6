import { shellQuote } from "../../system/shell-quote.js";
import {
  COMMON_OPTIONS,
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  offered,
} from "./completed-command.js";

/** How a branch of a `case` in bash or zsh gives its text, which is quoted already. */
export type Give = (quoted: string) => string;

const branch = (pattern: string, value: Completed, give: Give): string =>
  `    ${pattern}) ${give(shellQuote(offered(value)))} ;;`;

/** The branches for `COMMAND OPTION` of every option that takes a value. */
export function valueCases(commands: readonly CompletedCommand[], give: Give): string {
  const taking = (options: readonly CompletedOption[], command: string) =>
    options.flatMap(({ name, value }) =>
      value === undefined ? [] : [branch(`${command}${shellQuote(` ${name}`)}`, value, give)],
    );
  const own = commands.flatMap(({ name, options }) => taking(options, shellQuote(name)));
  return [...own, ...taking(COMMON_OPTIONS, "*")].join("\n");
}

/** The branches for `COMMAND POSITION` of every argument. */
export const argumentCases = (commands: readonly CompletedCommand[], give: Give): string =>
  commands
    .flatMap((command) =>
      command.arguments.map((value, position) => {
        const repeated = command.repeats && position === command.arguments.length - 1;
        return branch(`${shellQuote(`${command.name} `)}${repeated ? "*" : position}`, value, give);
      }),
    )
    .join("\n");

/** A function that fails for the commands behind which `kai` wants no agent. */
export const namesAgentFunction = (commands: readonly CompletedCommand[]): string => {
  const without = commands.filter(({ namesAgent }) => !namesAgent).map(({ name }) => shellQuote(name));
  return `__kai_version_names_agent() {
  case $1 in
    ${without.join(" | ")}) return 1 ;;
  esac
}`;
};
