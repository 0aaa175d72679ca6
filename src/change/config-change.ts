import { type ConfigNode, plainValue } from "./config-tree.js";

/** One difference between two configuration files. */
export interface ConfigChange {
  kind: "added" | "removed" | "changed";
  /**
   * Where, e.g. `a.b[2]."c.d"`; empty for the whole file. Indexes count from 0 in the file after the change; only the
   * last index of something removed counts in the file before.
   */
  key: string;
  before?: unknown;
  after?: unknown;
  /** From 1; null on the side where there is nothing. */
  line: { before: number | null; after: number | null };
  /** Given when the types differ: null, boolean, number, string, list, map or a YAML tag. */
  type?: { before: string; after: string };
  /** The items are the same but in another order; `before` and `after` then list what identifies them. */
  reordered?: true;
  /** A value was too long; its beginning is given as text. */
  truncated?: true;
}

/** Longer values (in characters of JSON) are cut in the data; shorter ones at display only. */
const LONGEST_VALUE = 16 * 1024;

export function treeChange(key: string, before: ConfigNode | undefined, after: ConfigNode | undefined): ConfigChange {
  const change = valueChange(
    key,
    before && { value: plainValue(before), line: before.line },
    after && { value: plainValue(after), line: after.line },
  );
  if (before && after && before.type !== after.type) change.type = { before: before.type, after: after.type };
  return change;
}

interface Side {
  value: unknown;
  line: number;
}

/** A change of kind `added` or `removed` where one side is missing. */
export function valueChange(key: string, before: Side | undefined, after: Side | undefined): ConfigChange {
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const change: ConfigChange = { kind, key, line: { before: before?.line ?? null, after: after?.line ?? null } };
  if (before) change.before = bounded(before.value, change);
  if (after) change.after = bounded(after.value, change);
  return change;
}

function bounded(value: unknown, change: ConfigChange): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= LONGEST_VALUE) return value;
  change.truncated = true;
  return `${text.slice(0, LONGEST_VALUE)}…`;
}
