import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
import type { CommandContext } from "./context.js";

/** A positional argument. `rest` takes all that follow, `command` what stands behind `--`. */
export interface ArgumentSpec<T> {
  readonly kind: "required" | "optional" | "rest" | "command";
  readonly summary: string;
  /** What a shell can offer for it. */
  readonly choices?: readonly string[];
  readonly parse: (raw: string) => T;
}

export interface OptionSpec<T> {
  readonly kind: "flag" | "value" | "list";
  readonly summary: string;
  /** What stands for the value in the help, e.g. `X.Y.Z`. */
  readonly placeholder?: string;
  readonly short?: string;
  readonly choices?: readonly string[];
  readonly parse?: (raw: string) => unknown;
  /** Only there to carry the type. */
  readonly type?: T;
}

// biome-ignore lint/suspicious/noExplicitAny: the values' types are in the specs
type AnyArguments = Record<string, ArgumentSpec<any>>;
// biome-ignore lint/suspicious/noExplicitAny: the values' types are in the specs
type AnyOptions = Record<string, OptionSpec<any>>;

type ArgumentValue<S> = S extends ArgumentSpec<infer T> ? T : never;
type OptionValue<S> = S extends OptionSpec<infer T> ? T : never;

export type CommandInput<A extends AnyArguments, O extends AnyOptions> = {
  [K in keyof A]: A[K] extends { kind: "rest" | "command" }
    ? ArgumentValue<A[K]>[]
    : A[K] extends { kind: "optional" }
      ? ArgumentValue<A[K]> | undefined
      : ArgumentValue<A[K]>;
} & { [K in keyof O]: OptionValue<O[K]> };

export interface Command<A extends AnyArguments = AnyArguments, O extends AnyOptions = AnyOptions> {
  /** As typed, e.g. `create` or `snapshot test`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs of the help and the man page. */
  readonly description?: string;
  readonly examples?: readonly { readonly line: string; readonly does: string }[];
  readonly arguments?: A;
  readonly options?: O;
  run(input: CommandInput<A, O>, context: CommandContext): Promise<void>;
}

export function defineCommand<
  const A extends AnyArguments = Record<never, never>,
  const O extends AnyOptions = Record<never, never>,
>(command: Command<A, O>): Command {
  return command as unknown as Command;
}

export const flag = (summary: string, more: { short?: string } = {}): OptionSpec<boolean> => ({
  kind: "flag",
  summary,
  ...more,
});

export const value = (
  placeholder: string,
  summary: string,
  more: { short?: string } = {},
): OptionSpec<string | undefined> => ({ kind: "value", placeholder, summary, ...more });

export const choice = <const C extends readonly string[]>(
  choices: C,
  summary: string,
): OptionSpec<C[number] | undefined> => ({
  kind: "value",
  placeholder: choices.join("|"),
  choices,
  summary,
  parse: (raw) => {
    if (choices.includes(raw)) return raw;
    const close = nearest(raw, choices);
    throw new Error(`Allowed choices are ${choices.join(", ")}.${close ? ` Did you mean ${close}?` : ""}`);
  },
});

/** A required argument that is one of these words. */
export const oneOf = <const C extends readonly string[]>(
  choices: C,
  summary: string,
): ArgumentSpec<C[number]> & { kind: "required" } => ({
  kind: "required",
  summary,
  choices,
  parse: (raw) => {
    const chosen = choices.find((each) => each === raw);
    if (chosen !== undefined) return chosen;
    const close = nearest(raw, choices);
    throw new KaiError("E122", `'${raw}' is none of ${choices.join(", ")}.`, {
      hint: close ? `Did you mean ${close}?` : `Name one of ${choices.join(", ")}.`,
    });
  },
});

export const list = (placeholder: string, summary: string, more: { short?: string } = {}): OptionSpec<string[]> => ({
  kind: "list",
  placeholder,
  summary,
  ...more,
});

export const parsed = <T>(
  placeholder: string,
  summary: string,
  parse: (raw: string) => T,
): OptionSpec<T | undefined> => ({ kind: "value", placeholder, summary, parse });

const same = (raw: string): string => raw;

export const required = <T = string>(
  summary: string,
  parse: (raw: string) => T = same as (raw: string) => T,
): ArgumentSpec<T> & { kind: "required" } => ({ kind: "required", summary, parse });

export const optional = <T = string>(
  summary: string,
  parse: (raw: string) => T = same as (raw: string) => T,
): ArgumentSpec<T> & { kind: "optional" } => ({ kind: "optional", summary, parse });

export const rest = (summary: string): ArgumentSpec<string> & { kind: "rest" } => ({
  kind: "rest",
  summary,
  parse: same,
});

/** Everything behind `--`: a program and its arguments, never parsed by us. */
export const commandLine = (summary: string): ArgumentSpec<string> & { kind: "command" } => ({
  kind: "command",
  summary,
  parse: same,
});
