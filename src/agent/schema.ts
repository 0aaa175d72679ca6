import { DURATION_FORM, findDuration, findRate, findSize, RATE_FORM, SIZE_FORM } from "./quantity.js";

/** A scalar as YAML resolved it, and as it was written: `1.10` is the number 1.1, and the text `1.10`. */
export interface WrittenScalar {
  readonly value: string | number | boolean | null;
  readonly source: string;
}

export type JsonSchema = { readonly [keyword: string]: unknown };

/** One value. `read` gives it in its normal form, undefined where it is not `expected`. */
export interface ScalarSchema<T = unknown> {
  readonly kind: "scalar";
  /** What stands in messages and docs, e.g. `true or false`. */
  readonly expected: string;
  /** Every allowed value, where they can be listed. */
  readonly allowed?: readonly string[];
  readonly json: JsonSchema;
  /** Undefined for a key that must be given. */
  readonly fallback: T | undefined;
  readonly read: (scalar: WrittenScalar) => T | undefined;
}

export interface ListSchema {
  readonly kind: "list";
  readonly of: Schema;
  readonly fallback: readonly unknown[];
}

/** Keys that the user names. */
export interface RecordSchema {
  readonly kind: "record";
  readonly keyForm: string;
  readonly keyPattern: RegExp;
  readonly of: Schema;
  readonly fallback: Readonly<Record<string, unknown>>;
}

/** Either one scalar or a whole collection. */
export interface EitherSchema {
  readonly kind: "either";
  readonly scalar: ScalarSchema;
  readonly collection: ListSchema | RecordSchema | ObjectSchema;
}

export interface ObjectSchema {
  readonly kind: "object";
  readonly fields: Fields;
}

interface Field {
  /** One sentence, used by the docs, the JSON Schema and editors. */
  readonly summary: string;
  readonly schema: Schema;
}

export type Fields = Readonly<Record<string, Field>>;

export type Schema = ScalarSchema | ListSchema | RecordSchema | EitherSchema | ObjectSchema;

/** The type of what a schema reads. */
export type ValueOf<S> =
  S extends ScalarSchema<infer T>
    ? T
    : S extends { kind: "object"; fields: infer F }
      ? { readonly [K in keyof F]: F[K] extends { schema: infer C } ? ValueOf<C> : never }
      : S extends { kind: "either"; scalar: infer V; collection: infer C }
        ? ValueOf<V> | ValueOf<C>
        : S extends { kind: "list"; of: infer C }
          ? readonly ValueOf<C>[]
          : S extends { kind: "record"; of: infer C }
            ? Readonly<Record<string, ValueOf<C>>>
            : never;

export const field = <S extends Schema>(summary: string, schema: S) => ({ summary, schema });

export const object = <F extends Fields>(fields: F) => ({ kind: "object" as const, fields });

export const list = <S extends Schema>(
  of: S,
  fallback: readonly (S extends ScalarSchema<infer T> ? T : never)[] = [],
) => ({
  kind: "list" as const,
  of,
  fallback,
});

export const record = <S extends Schema>(
  of: S,
  more: { keyForm: string; keyPattern: RegExp; fallback?: Readonly<Record<string, unknown>> },
) => ({ kind: "record" as const, of, fallback: {}, ...more });

export const either = <T, C extends EitherSchema["collection"]>(scalar: ScalarSchema<T>, collection: C) => ({
  kind: "either" as const,
  scalar,
  collection,
});

export const bool = (fallback: boolean): ScalarSchema<boolean> => ({
  kind: "scalar",
  expected: "true or false",
  allowed: ["true", "false"],
  json: { type: "boolean" },
  fallback,
  read: ({ value }) => (typeof value === "boolean" ? value : undefined),
});

export const choice = <const C extends readonly string[]>(
  choices: C,
  fallback: C[number] | undefined,
): ScalarSchema<C[number]> => ({
  kind: "scalar",
  expected: choices.length === 1 ? `${choices[0]}` : `one of ${choices.join(", ")}`,
  allowed: choices,
  json: { type: "string", enum: choices },
  fallback,
  read: ({ value }) => (typeof value === "string" && choices.includes(value) ? value : undefined),
});

/** true, false or one of the words. */
export const boolOr = <const C extends readonly string[]>(
  choices: C,
  fallback: boolean | C[number],
): ScalarSchema<boolean | C[number]> => ({
  kind: "scalar",
  expected: `one of true, false, ${choices.join(", ")}`,
  allowed: ["true", "false", ...choices],
  json: { enum: [true, false, ...choices] },
  fallback,
  read: ({ value }) =>
    typeof value === "boolean" || (typeof value === "string" && choices.includes(value)) ? value : undefined,
});

export const integer = (smallest: number, largest: number, fallback: number): ScalarSchema<number> => ({
  kind: "scalar",
  expected: `a whole number from ${smallest} to ${largest}`,
  json: { type: "integer", minimum: smallest, maximum: largest },
  fallback,
  read: ({ value }) =>
    typeof value === "number" && Number.isInteger(value) && value >= smallest && value <= largest ? value : undefined,
});

interface TextForm {
  expected?: string;
  pattern?: RegExp;
  test?: (text: string) => boolean;
}

/** A text, not empty and without NUL. What YAML takes for a number or truth value is taken as it was written. */
export const text = (fallback: string | undefined, form: TextForm = {}): ScalarSchema<string> => ({
  kind: "scalar",
  expected: form.expected ?? "a text",
  json: { type: ["string", "number", "boolean"], ...(form.pattern && { pattern: form.pattern.source }) },
  fallback,
  read: ({ value, source }) => {
    if (value === null) return undefined;
    const written = typeof value === "string" ? value : source;
    const good = written !== "" && !written.includes("\0") && (form.pattern?.test(written) ?? true);
    return good && (form.test?.(written) ?? true) ? written : undefined;
  },
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a name is not to have
const NAME = /^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]{1,100}$/;

/** What stands in messages, tables and commits, and is not to look like a line of ours: no control character, none that ends a line or turns the direction of writing. */
export const name = (): ScalarSchema<string> =>
  text(undefined, { expected: "a name of at most 100 characters on one line", pattern: NAME });

export const duration = (fallback: string | undefined): ScalarSchema<string> =>
  text(fallback, { expected: DURATION_FORM, test: (written) => findDuration(written) !== undefined });

/** With `least` not less than that. */
export const size = (fallback: string | undefined, least?: string): ScalarSchema<string> => {
  const fewest = least === undefined ? 1 : (findSize(least) ?? 1);
  return text(fallback, {
    expected: least === undefined ? SIZE_FORM : `${SIZE_FORM}, not less than ${least}`,
    test: (written) => (findSize(written) ?? 0) >= fewest,
  });
};

export const rate = (fallback: string | undefined): ScalarSchema<string> =>
  text(fallback, { expected: RATE_FORM, test: (written) => findRate(written) !== undefined });

/** `schema`, or null where nothing is set; null by default. */
export const orNull = <T>(schema: ScalarSchema<T>): ScalarSchema<T | null> => ({
  ...schema,
  expected: `${schema.expected}, or null`,
  ...(schema.allowed && { allowed: [...schema.allowed, "null"] }),
  json: { anyOf: [schema.json, { type: "null" }] },
  fallback: null,
  read: (scalar) => (scalar.value === null ? null : schema.read(scalar)),
});
