import canonicalize from "canonicalize";
import { KaiError } from "../error.js";

/** One line of canonical JSON (RFC 8785): the same value gives the same bytes everywhere. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new KaiError("E170", "A value that has no JSON form was to be written.");
  return text;
}
