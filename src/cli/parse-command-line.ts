import { Command as CommanderCommand, CommanderError, InvalidArgumentError, Option } from "commander";
import { KaiError } from "../error.js";
import { type CommandLine, OPTION_NOT_GIVEN } from "./bare-command-line.js";
import type { Command, OptionSpec } from "./define-command.js";

/**
 * What `argv` says to a command, by the command's own description; undefined where it asks for help, which `onHelp` gets. E122
 * where it does not fit.
 */
export function parseCommandLine(
  command: Command,
  argv: readonly string[],
  onHelp: (help: string, globals: CommandLine["globals"]) => void = () => {},
): CommandLine | undefined {
  const dashes = argv.indexOf("--");
  const takesCommandLine = Object.values(command.arguments ?? {}).some((argument) => argument.kind === "command");
  const ours = takesCommandLine && dashes >= 0 ? argv.slice(0, dashes) : argv;
  const theirs = takesCommandLine && dashes >= 0 ? argv.slice(dashes + 1) : [];

  let help = "";
  const parser = parserFor(command).configureOutput({
    writeErr: () => {},
    writeOut: (text) => {
      help += text;
    },
  });
  try {
    parser.parse([...ours], { from: "user" });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) {
      onHelp(help, parser.opts());
      return undefined;
    }
    throw new KaiError("E122", sentence(cause.message), {
      hint: `\`git kai-version ${command.name} --help\` shows how it is used.`,
      cause,
    });
  }
  return { input: inputOf(command, parser, theirs), globals: parser.opts() };
}

/** The commander parser of one command, with the options that every command has. */
function parserFor(command: Command): CommanderCommand {
  const parser = new CommanderCommand(`git kai-version ${command.name}`)
    .description(command.description ?? command.summary)
    .exitOverride()
    .allowExcessArguments(false);
  for (const [name, argument] of Object.entries(command.arguments ?? {})) {
    if (argument.kind === "command") continue;
    const shape = { required: `<${name}>`, optional: `[${name}]`, rest: `[${name}...]` }[argument.kind];
    parser.argument(shape, argument.summary);
  }
  for (const [name, option] of Object.entries(command.options ?? {})) parser.addOption(optionFor(name, option));
  parser
    .option("-C <dir>", "work in this folder")
    .option("--json", "print one JSON document")
    .option("-q, --quiet", "print only the result")
    .option("--no-color", "print without colours")
    .helpOption("-h, --help", "show this help");
  const examples = command.examples ?? [];
  if (examples.length > 0) {
    parser.addHelpText(
      "after",
      `\nExamples:\n${examples.map((each) => `  ${each.line}\n      ${each.does}`).join("\n")}`,
    );
  }
  if (Object.values(command.arguments ?? {}).some((argument) => argument.kind === "command")) {
    const summary = Object.values(command.arguments ?? {}).find((argument) => argument.kind === "command")?.summary;
    parser.usage(`${parser.usage()} [-- command...]`).addHelpText("after", `\n  -- command...  ${summary}`);
  }
  return parser;
}

function optionFor(name: string, spec: OptionSpec<unknown>): Option {
  const long = `--${kebab(name)}`;
  const value = spec.kind === "flag" ? "" : ` <${spec.placeholder ?? "value"}>`;
  const option = new Option(`${spec.short ? `-${spec.short}, ` : ""}${long}${value}`, spec.summary);
  if (spec.choices) option.choices([...spec.choices]);
  if (spec.kind === "list") option.argParser((raw: string, before: string[] | undefined) => [...(before ?? []), raw]);
  if (spec.parse) {
    const { parse } = spec;
    option.argParser((raw: string) => {
      try {
        return parse(raw);
      } catch (cause) {
        if (cause instanceof KaiError) throw cause;
        throw new InvalidArgumentError((cause as Error).message);
      }
    });
  }
  return option;
}

function inputOf(command: Command, parser: CommanderCommand, theirs: readonly string[]): Record<string, unknown> {
  const options = parser.opts<Record<string, unknown>>();
  const input: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(command.options ?? {})) {
    // Commander turns `--no-current` into `current: false`; here an option keeps the name that it was given.
    const given = name.startsWith("no") && options[negated(name)] === false ? true : options[name];
    input[name] = given ?? OPTION_NOT_GIVEN[spec.kind]();
  }
  let position = 0;
  for (const [name, spec] of Object.entries(command.arguments ?? {})) {
    if (spec.kind === "command") {
      input[name] = theirs;
      continue;
    }
    const raw: unknown = parser.processedArgs[position++];
    if (spec.kind === "rest") input[name] = ((raw as string[] | undefined) ?? []).map(spec.parse);
    else input[name] = raw === undefined ? undefined : spec.parse(raw as string);
  }
  return input;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const negated = (name: string): string => name.charAt(2).toLowerCase() + name.slice(3);

const sentence = (message: string): string => {
  const text = message.replace(/^error: /, "").replaceAll("\n", " ");
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.)?]$/.test(text) ? "" : ".");
};
