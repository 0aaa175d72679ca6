import { Alias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { type ConfigProblem, configError, problemAt } from "./config-problem.js";
import { refuseLargeConfig } from "./find-config.js";
import { type Given, type GivenEntry, type GivenMap, joinPath, type Position } from "./given.js";

const DEEPEST = 32;

/**
 * Reads one YAML 1.2 document that is a mapping, with the position of everything. Refuses what a configuration has no
 * use for: anchors and aliases, tags, merge keys, keys that are not plain, duplicate keys, more than one document.
 * Throws E106.
 */
export function parseYaml(text: string, file: string): GivenMap {
  refuseLargeConfig(Buffer.byteLength(text), file);
  const lines = new LineCounter();
  // Duplicates are looked for here, because the library compares every key with every other.
  const document = parseDocument(text.replace(/^\uFEFF/, ""), {
    version: "1.2",
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
    lineCounter: lines,
  });
  const reader = new YamlReader(file, lines);
  if (document.errors.length > 0) {
    for (const error of document.errors.slice(0, 20))
      reader.report(error.pos[0], "", plainMessage(error.code, error.message));
    throw configError(reader.problems);
  }
  if (document.directives?.yaml.version !== "1.2") reader.report(0, "", "Only YAML 1.2 is supported.");
  const root = reader.read(document.contents, "", 0, 0);
  if (reader.problems.length === 0 && root?.kind === "scalar" && root.value === null) {
    return { kind: "map", at: { line: 1, column: 1 }, path: "", entries: new Map() };
  }
  if (reader.problems.length === 0 && root?.kind !== "map") {
    reader.report(0, "", "The file must hold keys with their values, such as `agent_id: my.agent`.");
  }
  if (root?.kind !== "map" || reader.problems.length > 0) throw configError(reader.problems);
  return root;
}

const plainMessage = (code: string, message: string): string => {
  if (code === "MULTIPLE_DOCS") return "There is more than one document in the file.";
  if (code === "RESOURCE_EXHAUSTION") return "Nested too deeply.";
  return `Not valid YAML: ${message.split("\n")[0]?.slice(0, 300)}`;
};

class YamlReader {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  report(offset: number, path: string, message: string): void {
    this.problems.push(problemAt(this.#file, this.#position(offset), path, message));
  }

  /** The node as given; undefined where it was refused, which is in `problems` then. */
  read(node: unknown, path: string, depth: number, fallbackOffset: number): Given | undefined {
    const offset = offsetOf(node) ?? fallbackOffset;
    if (depth > DEEPEST) return this.#refuse(offset, path, `Nested more than ${DEEPEST} levels deep.`);
    if (node instanceof Alias || (node as { anchor?: unknown } | null)?.anchor !== undefined) {
      return this.#refuse(offset, path, "Anchors and aliases are not supported: write the value where it belongs.");
    }
    const tag = (node as { tag?: string } | null)?.tag;
    if (tag !== undefined) return this.#refuse(offset, path, `Tags such as ${tag.slice(0, 60)} are not supported.`);
    const at = this.#position(offset);
    if (node === null || node === undefined) return { kind: "scalar", at, value: null, source: "" };
    if (isMap(node)) return this.#readMap(node.items, path, depth, offset);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.read(item, `${path}[${index}]`, depth + 1, offset));
      return { kind: "list", at, items: items.filter((item) => item !== undefined) };
    }
    if (!isScalar(node)) return this.#refuse(offset, path, "Not a value that kai.yaml can hold.");
    const { value } = node;
    const plain =
      typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null;
    if (!plain) return this.#refuse(offset, path, "Not a value that kai.yaml can hold.");
    return { kind: "scalar", at, value, source: node.source ?? String(value) };
  }

  #readMap(items: readonly unknown[], path: string, depth: number, offset: number): GivenMap {
    const entries = new Map<string, GivenEntry>();
    for (const item of items) {
      if (!isPair(item)) continue;
      const keyOffset = offsetOf(item.key) ?? offset;
      const key = this.#readKey(item.key, path, keyOffset);
      if (key === undefined) continue;
      const keyPath = joinPath(path, key);
      const before = entries.get(key);
      if (before)
        this.report(
          keyOffset,
          keyPath,
          `The key ${JSON.stringify(key)} is given twice; first in line ${before.keyAt.line}.`,
        );
      const value = this.read(item.value, keyPath, depth + 1, keyOffset);
      if (value && !before)
        entries.set(key, { keyAt: this.#position(keyOffset), path: keyPath, form: undefined, value });
    }
    return { kind: "map", at: this.#position(offset), path, entries };
  }

  #readKey(node: unknown, path: string, offset: number): string | undefined {
    const plain = isScalar(node) && node.tag === undefined && node.anchor === undefined && node.value !== null;
    const key = plain ? (node.source ?? String(node.value)) : undefined;
    if (key === undefined || key === "") return this.#refuse(offset, path, "A key must be a plain word.");
    if (key === "<<")
      return this.#refuse(offset, path, "Merge keys are not supported: write the values where they belong.");
    if (key === "__proto__") return this.#refuse(offset, path, "A key cannot be named __proto__.");
    if (key.length > 256) return this.#refuse(offset, path, "A key is longer than 256 characters.");
    return key;
  }

  #refuse(offset: number, path: string, message: string): undefined {
    this.report(offset, path, message);
    return undefined;
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

const offsetOf = (node: unknown): number | undefined =>
  (node as { range?: [number, number, number] } | null)?.range?.[0];
