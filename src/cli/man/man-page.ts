import { ERROR_CODES } from "../../error.js";
import type { Command, OptionSpec } from "../define-command.js";
import { CONFIGURATION, DESCRIPTION, ENVIRONMENT, EXIT_STATUS, FILES, type Item } from "./man-text.js";
import { bold, escapeRoff, heading, italic, item, paragraph, proseRoff, subheading, verbatim } from "./roff.js";

/** git-kai-version(1) in roff (groff_man(7)), made from the descriptions of the commands. */
export function formatManPage(commands: readonly Command[], version: string): string {
  const parts = [
    '.\\" Made from src/cli by `node scripts/man.mjs`; changes belong there.',
    `.TH GIT\\-KAI\\-VERSION 1 "" "git kai\\-version ${escapeRoff(version)}" "git kai\\-version"`,
    ".nh",
    ".ad l",
    heading("Name"),
    "git\\-kai\\-version \\- versions, signed releases, sandboxed trials and rollbacks for AI agents",
    heading("Synopsis"),
    `${bold("git kai-version")} [${bold("-C")} ${italic("DIR")}] [${bold("--json")}] [${bold("--quiet")}] ${italic("command")} [${italic("arguments")}]`,
    ".br",
    `${bold("kai")} ${italic("command agent")} [${italic("arguments")}]`,
    heading("Description"),
    ...DESCRIPTION.map((text) => paragraph(proseRoff(text))),
    heading("Options of every command"),
    item(`${bold("-C")} ${italic("DIR")}`, "Work in this folder instead of the current one."),
    item(bold("--json"), proseRoff("Print one JSON document on standard output, errors too; see `docs/schema`.")),
    item(`${bold("-q")}, ${bold("--quiet")}`, "Print only the result."),
    item(bold("--no-color"), "Print without colours."),
    item(`${bold("-h")}, ${bold("--help")}`, "Show how the command is used."),
    paragraph(proseRoff("`git kai-version --version`, or `-v`, says which one this is.")),
    heading("Commands"),
    ...commands.flatMap(describeCommand),
    ...section("Configuration", CONFIGURATION),
    ...section("Environment", ENVIRONMENT),
    ...section("Files", FILES),
    ...section("Exit status", EXIT_STATUS),
    heading("Errors"),
    paragraph("An error has a code, by which docs/errors.md explains it and says what to do."),
    ...Object.entries(ERROR_CODES).map(([code, { title }]) => item(bold(code), `${escapeRoff(title)}.`)),
    heading("See also"),
    "git(1), git\\-tag(1), git\\-verify\\-tag(1), git\\-notes(1), gpg(1), podman(1)",
  ];
  return `${parts.join("\n")}\n`;
}

const section = (title: string, items: readonly Item[]): string[] => [
  heading(title),
  ...items.map(({ term, text }) => item(bold(term), proseRoff(text))),
];

function describeCommand(command: Command): string[] {
  const own = Object.entries(command.options ?? {});
  const examples = command.examples ?? [];
  return [
    subheading(command.name),
    `${[bold(`git kai-version ${command.name}`), ...(own.length > 0 ? ["[options]"] : []), ...argumentsOf(command)].join(" ")}`,
    paragraph(proseRoff(sentence(command.summary))),
    ...(command.description ? [paragraph(proseRoff(command.description))] : []),
    ...Object.entries(command.arguments ?? {}).map(([name, argument]) =>
      item(italic(argument.kind === "command" ? "command" : name), proseRoff(sentence(argument.summary))),
    ),
    ...own.map(([name, option]) => item(optionTerm(name, option), proseRoff(sentence(option.summary)))),
    ...examples.flatMap(({ line, does }) => [verbatim([line]), `.RS 8\n${proseRoff(sentence(does))}\n.RE`]),
  ];
}

const argumentsOf = (command: Command): string[] =>
  Object.entries(command.arguments ?? {}).map(([name, { kind }]) => {
    if (kind === "command") return `[${bold("--")} ${italic("command")}...]`;
    if (kind === "required") return italic(name);
    return `[${italic(name)}${kind === "rest" ? "..." : ""}]`;
  });

function optionTerm(name: string, option: OptionSpec<unknown>): string {
  const long = bold(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  const value = option.kind === "flag" ? "" : ` ${italic(option.placeholder ?? "value")}`;
  return `${option.short ? `${bold(`-${option.short}`)}, ` : ""}${long}${value}`;
}

/** Begins with a capital, unless it begins with code, and ends with a full stop. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(whole) ? whole : `${whole}.`;
}
