import { compareText } from "./compare-text.js";
import { keySegment } from "./config-path.js";

/** A value of a configuration file with the line (from 1) on which it, or its key, stands. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  /** `null`, `boolean`, `number`, `string`, or the tag of a value that JSON does not know. */
  readonly type: string;
  /** Numbers that JSON lacks (`.inf`) and integers that a double would round are text, with type `number`. */
  readonly value: null | boolean | number | string;
  readonly line: number;
}

export interface ListNode {
  readonly kind: "list";
  readonly type: string;
  readonly items: readonly ConfigNode[];
  readonly size: number;
  readonly line: number;
}

export interface MapNode {
  readonly kind: "map";
  readonly type: string;
  /** By path segment, which unlike the name tells the key `1` from the key `"1"`. */
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly size: number;
  readonly line: number;
}

export interface MapEntry {
  readonly name: string;
  readonly value: ConfigNode;
}

/** Why a text cannot be read as a tree; caught where the text is handed in. */
export class UnreadableConfig extends Error {
  readonly line: number | null;
  constructor(message: string, line: number | null) {
    super(message);
    this.line = line;
  }
}

/** Deeper files are refused, so that walking a tree never exhausts the stack. */
export const DEEPEST_NESTING = 100;
/** How many values a file may hold, every alias counted as what it stands for. */
const MOST_VALUES = 1_000_000;

const sizeOf = (node: ConfigNode): number => (node.kind === "scalar" ? 1 : node.size);

export function scalarNode(value: ScalarNode["value"], line: number, type?: string): ScalarNode {
  return { kind: "scalar", type: type ?? (value === null ? "null" : typeof value), value, line };
}

export function listNode(items: readonly ConfigNode[], line: number, type = "list"): ListNode {
  return { kind: "list", type, items, size: totalSize(items, line), line };
}

export function mapNode(entries: ReadonlyMap<string, MapEntry>, line: number, type = "map"): MapNode {
  const values = [...entries.values()].map(({ value }) => value);
  return { kind: "map", type, entries, size: totalSize(values, line), line };
}

function totalSize(nodes: readonly ConfigNode[], line: number): number {
  let size = 1;
  for (const node of nodes) size += sizeOf(node);
  if (size > MOST_VALUES) throw new UnreadableConfig(`it stands for more than ${MOST_VALUES} values`, line);
  return size;
}

/** Adds an entry under a string key; a second one of the same name makes the file unreadable. */
export function addEntry(entries: Map<string, MapEntry>, name: string, value: ConfigNode, segment = keySegment(name)) {
  if (entries.has(segment)) throw new UnreadableConfig(`the key ${segment} is there twice`, value.line);
  entries.set(segment, { name, value });
}

/** The plain JSON value of a node. */
export function plainValue(node: ConfigNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainValue);
  return Object.fromEntries([...node.entries.values()].map(({ name, value }) => [name, plainValue(value)]));
}

/** Gives equal trees, of one file or of several, the same number: comparing is then free, however large they are. */
export class TreeIdentity {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<ConfigNode, number>();

  of(node: ConfigNode): number {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const shape = this.#shape(node);
    const number = this.#numbers.get(shape) ?? this.#numbers.size;
    this.#numbers.set(shape, number);
    this.#known.set(node, number);
    return number;
  }

  #shape(node: ConfigNode): string {
    if (node.kind === "scalar") return JSON.stringify([node.type, node.value]);
    if (node.kind === "list") return `${node.type} [${node.items.map((item) => this.of(item)).join(",")}]`;
    const entries = [...node.entries].sort(([a], [b]) => compareText(a, b));
    return `${node.type} {${entries.map(([segment, { value }]) => `${JSON.stringify(segment)}:${this.of(value)}`).join(",")}}`;
  }
}
