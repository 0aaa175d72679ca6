import path from "node:path";

/** Whether a value that anybody may have written is what it must be. */
export interface Check {
  (value: unknown): boolean;
  /** Of what passed: a copy without the keys that nobody here knows; absent where there can be none. */
  readonly known?: (value: unknown) => unknown;
}

/** All keys of `T` are looked at, which the compiler sees to; what a later version adds is let through, and not copied by `known`. */
export function shape<T>(checks: Readonly<Record<keyof T, Check>>): Check {
  const keys = Object.keys(checks) as (keyof T & string)[];
  return Object.assign((value: unknown) => isObject(value) && keys.every((key) => checks[key](value[key])), {
    known: (value: unknown) => {
      const all = value as Record<string, unknown>;
      return Object.fromEntries(
        keys.filter((key) => all[key] !== undefined).map((key) => [key, knownOf(checks[key], all[key])]),
      );
    },
  });
}

/** What of a value that passed a check is known. */
export const knownOf = (check: Check, value: unknown): unknown =>
  check.known === undefined ? value : check.known(value);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const text: Check = (value) => typeof value === "string";
export const flag: Check = (value) => typeof value === "boolean";
export const number: Check = Number.isFinite;
export const time: Check = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value));
export const absolute: Check = (value) => typeof value === "string" && path.isAbsolute(value);
// Handed to git, where a word that begins with a dash is an option.
export const objectId: Check = (value) => typeof value === "string" && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
export const is =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
export const nullOr = (check: Check): Check => orElse(check, null);
export const optional = (check: Check): Check => orElse(check, undefined);
export const listOf = (check: Check): Check =>
  Object.assign((value: unknown) => Array.isArray(value) && value.every((each) => check(each)), {
    known: (value: unknown) => (value as unknown[]).map((each) => knownOf(check, each)),
  });
export const mapOf = (check: Check): Check =>
  Object.assign((value: unknown) => isObject(value) && Object.values(value).every((each) => check(each)), {
    known: (value: unknown) =>
      Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, knownOf(check, each)])),
  });

const orElse = (check: Check, other: null | undefined): Check =>
  Object.assign((value: unknown) => value === other || check(value), {
    known: (value: unknown) => (value === other ? value : knownOf(check, value)),
  });
