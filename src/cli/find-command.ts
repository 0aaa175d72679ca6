import { COMMANDS, type CommandEntry } from "./commands/index.js";

interface FoundCommand extends CommandEntry {
  /** What stands behind the command's name. */
  argv: string[];
}

/** The command that `words` begin with; the longer name wins. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const entry = words.length >= length ? COMMANDS.find((each) => each.name === name) : undefined;
    if (entry) return { ...entry, argv: words.slice(length) };
  }
  return undefined;
}

/** The group, such as `key`, that the first word names. */
export function findGroup(words: readonly string[]): string | undefined {
  const [first] = words;
  return first !== undefined && COMMANDS.some((entry) => entry.name.startsWith(`${first} `)) ? first : undefined;
}
