import { createHash } from "node:crypto";
import type { Bump } from "./bump.js";

export type Level = Bump;

/** One reason for a verdict. */
export interface Finding {
  /** Id of the rule, e.g. `commit-breaking`. */
  rule: string;
  level: Level;
  file: string | null;
  /** Counted from 1. */
  line: number | null;
  /** What was found. */
  message: string;
  /** What the author can do about it. */
  remedy: string;
  /** The same for the same matter in another clone, after a rebase, or when lines move. */
  fingerprint: string;
  /** Object id of the commit that it is about. */
  commit?: string;
}

/** 16 hex digits of the SHA-256 over the rule and what it is about; line numbers and commit ids have no place in `matter`. */
export function fingerprintOf(rule: string, matter: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([rule, ...matter]))
    .digest("hex")
    .slice(0, 16);
}
