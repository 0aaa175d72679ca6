import type { WrittenScalar } from "./schema.js";

/** Where something stands in the file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

interface GivenScalar extends WrittenScalar {
  readonly kind: "scalar";
  readonly at: Position;
}

interface GivenList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Given[];
}

export interface GivenEntry {
  readonly keyAt: Position;
  /** The key's path as it stands in the file. */
  readonly path: string;
  /** The older form of kai.yaml that it was written in, e.g. `versioning_system`. */
  readonly form: string | undefined;
  readonly value: Given;
}

export interface GivenMap {
  readonly kind: "map";
  readonly at: Position;
  readonly path: string;
  readonly entries: ReadonlyMap<string, GivenEntry>;
}

/** What a file says, before anyone asks what it means. */
export type Given = GivenScalar | GivenList | GivenMap;

/** `a.b`, and `a["b.c"]` for a key that is not a plain word. */
export const joinPath = (parent: string, key: string): string =>
  /^[\w-]+$/.test(key) ? (parent === "" ? key : `${parent}.${key}`) : `${parent}[${JSON.stringify(key)}]`;
