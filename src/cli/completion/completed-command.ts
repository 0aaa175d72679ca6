import type { Command, OptionSpec } from "../define-command.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What a shell can offer for a value. */
export type Completed =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "versions" | "snapshots" | "files" | "folders" | "nothing" };

export interface CompletedOption {
  /** As typed: `--type`, or `-m`. */
  readonly name: string;
  readonly summary: string;
  /** Undefined for an option that takes no value. */
  readonly value: Completed | undefined;
}

/** A command as the completion scripts know it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  /** Whether `kai` wants an agent behind the command's name. */
  readonly namesAgent: boolean;
  readonly options: readonly CompletedOption[];
  /** By position. */
  readonly arguments: readonly Completed[];
  /** Whether the last argument may be given again. */
  readonly repeats: boolean;
}

/** Options that stand behind every command. */
export const COMMON_OPTIONS: readonly CompletedOption[] = [
  { name: "--json", summary: "print one JSON document", value: undefined },
  { name: "--quiet", summary: "print only the result", value: undefined },
  { name: "--no-color", summary: "print without colours", value: undefined },
  { name: "--help", summary: "show this help", value: undefined },
  { name: "-C", summary: "work in this folder", value: { kind: "folders" } },
];

/** As `kai` has them; a test holds the two together. */
const WITHOUT_AGENT: ReadonlySet<string> = new Set(["key", "completion"]);

/** What of a command's description a shell can complete. */
export function completedCommand(command: Command): CompletedCommand {
  const given = Object.entries(command.arguments ?? {}).filter(([, argument]) => argument.kind !== "command");
  // An id is an agent's elsewhere.
  const ids = command.name.startsWith("snapshot ") ? "snapshots" : "nothing";
  return {
    name: command.name,
    summary: command.summary,
    namesAgent: !WITHOUT_AGENT.has(command.name.split(" ")[0] ?? ""),
    options: Object.entries(command.options ?? {}).flatMap(([name, option]) => completedOption(name, option, ids)),
    arguments: given.map(([name, { choices }]) => valueNamed(name, choices, ids)),
    repeats: given.at(-1)?.[1].kind === "rest",
  };
}

type Ids = "snapshots" | "nothing";

function completedOption(name: string, option: OptionSpec<unknown>, ids: Ids): CompletedOption[] {
  const long = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const value = option.kind === "flag" ? undefined : valueNamed(option.placeholder ?? name, option.choices, ids);
  return [long, ...(option.short ? [`-${option.short}`] : [])].map((each) => ({
    name: each,
    summary: option.summary,
    value,
  }));
}

const VERSION_NAMES: ReadonlySet<string> = new Set(["version", "versions", "from", "to"]);

/** By the argument's name, or the word that stands for an option's value. */
function valueNamed(name: string, choices: readonly string[] | undefined, ids: Ids): Completed {
  if (choices) return { kind: "words", words: choices };
  const word = name.toLowerCase();
  if (VERSION_NAMES.has(word)) return { kind: "versions" };
  if (word === "id") return { kind: ids };
  if (word === "file") return { kind: "files" };
  return { kind: word === "dir" ? "folders" : "nothing" };
}

/** A value as the scripts hand it to what offers it: words, or `@versions`, `@files` and the like. */
export const offered = (value: Completed): string =>
  value.kind === "words" ? value.words.join(" ") : `@${value.kind}`;
