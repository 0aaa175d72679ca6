import path from "node:path";

/** Whether a value that anybody may have written is what it must be. */
export type Check = (value: unknown) => boolean;

/** All keys of `T` are looked at, which the compiler sees to; what a later version adds is let through. */
export function shape<T>(checks: Readonly<Record<keyof T, Check>>): Check {
  const keys = Object.keys(checks) as (keyof T & string)[];
  return (value) => isObject(value) && keys.every((key) => checks[key](value[key]));
}

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
export const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
export const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
