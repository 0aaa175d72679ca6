import type { Command } from "./define-command.js";

/** What was typed behind a command, understood. */
export interface CommandLine {
  readonly input: Record<string, unknown>;
  readonly globals: { json?: boolean; quiet?: boolean; color?: boolean; C?: string };
}

/** The words that every command takes and that stand alone. */
const GLOBALS: Readonly<Record<string, CommandLine["globals"]>> = {
  "--json": { json: true },
  "--quiet": { quiet: true },
  "-q": { quiet: true },
  "--no-color": { color: false },
};

/**
 * A command line that says nothing to the command itself: it is understood without a parser, which takes as long to load as a
 * short command works. Undefined where there is more to it, also where something is missing.
 */
export function bareCommandLine(command: Command, argv: readonly string[]): CommandLine | undefined {
  const globals = argv.map((word) => (Object.hasOwn(GLOBALS, word) ? GLOBALS[word] : undefined));
  const specs = Object.entries(command.arguments ?? {});
  if (globals.includes(undefined) || specs.some(([, { kind }]) => kind === "required")) return undefined;
  const input: Record<string, unknown> = {};
  for (const [name, { kind }] of Object.entries(command.options ?? {})) input[name] = OPTION_NOT_GIVEN[kind]();
  for (const [name, { kind }] of specs) input[name] = kind === "optional" ? undefined : [];
  return { input, globals: Object.assign({}, ...globals) };
}

/** What an option is that was not given. */
export const OPTION_NOT_GIVEN = {
  flag: () => false,
  value: () => undefined,
  list: () => [],
} as const;
