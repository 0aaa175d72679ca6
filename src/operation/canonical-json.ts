import canonicalize from "canonicalize";
import { KaiError } from "../error.js";

/** One line of canonical JSON (RFC 8785): the same value gives the same bytes everywhere. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new KaiError("E170", "A value that has no JSON form was to be written.");
  return text;
}

/**
 * Reads JSON that is written in its one canonical form; undefined for any other text. So no two readers can differ on it:
 * a key that stands there twice, say, is the first for some and the last for others.
 */
export function parseCanonicalJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Where all keys are in order JavaScript's own writing is the canonical one, and twice as fast.
    const canonical = hasKeysInOrder(value) ? JSON.stringify(value) : canonicalize(value);
    return canonical === text ? { value } : undefined;
  } catch {
    // Not JSON, a number beyond all numbers, or nested beyond the stack.
    return undefined;
  }
}

function hasKeysInOrder(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(hasKeysInOrder);
  const keys = Object.keys(value);
  return (
    keys.every((key, index) => index === 0 || (keys[index - 1] ?? "") < key) &&
    Object.values(value).every(hasKeysInOrder)
  );
}
