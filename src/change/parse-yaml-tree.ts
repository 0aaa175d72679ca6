import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type Scalar,
} from "yaml";
import {
  addEntry,
  type ConfigNode,
  DEEPEST_NESTING,
  listNode,
  type MapEntry,
  type MapNode,
  mapNode,
  plainValue,
  type ScalarNode,
  scalarNode,
  UnreadableConfig,
} from "./config-tree.js";

const LONGEST_YAML = 2 * 1024 * 1024;
/** The parser takes up to 20 µs a lexical token when the text is hostile; half a MiB of plain settings has as many. */
const MOST_TOKENS = 120_000;
const MOST_MERGED_ENTRIES = 100_000;
const CORE_TAG = /^tag:yaml\.org,2002:(null|bool|int|float|str|seq|map)$/;

/**
 * Reads every document of a YAML 1.2 stream, with merge keys (`<<`) put in. Aliases share the tree that they stand for,
 * so that a bomb of aliases takes no room.
 */
export function parseYamlTrees(text: string): ConfigNode[] {
  if (text.length > LONGEST_YAML) {
    throw new UnreadableConfig(`it is longer than ${LONGEST_YAML / 1024 / 1024} MiB`, null);
  }
  const lines = new LineCounter();
  const tokens = parseTokens(text, lines);
  // The composer recurses, and V8 may abort the process when the stack runs out inside a regular expression.
  for (const token of tokens) refuseDeepNesting(token, lines);
  // Its own check for duplicate keys is quadratic; `addEntry` makes a linear one.
  const composer = new Composer({ uniqueKeys: false, intAsBigInt: true, prettyErrors: false });
  const trees: ConfigNode[] = [];
  for (const document of composer.compose(tokens, true, text.length)) {
    trees.push(new YamlReader(document, lines).tree());
  }
  return trees;
}

/** What `Parser.parse` does, with an eye on the number of tokens. */
function parseTokens(text: string, lines: LineCounter): CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let count = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > MOST_TOKENS) throw new UnreadableConfig(`it has more than ${MOST_TOKENS} tokens`, null);
    tokens.push(...parser.next(lexeme));
  }
  tokens.push(...parser.end());
  return tokens;
}

function refuseDeepNesting(token: CST.Token, lines: LineCounter) {
  const open: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }];
  for (let top = open.pop(); top; top = open.pop()) {
    const depth = top.depth + 1;
    if (depth > DEEPEST_NESTING) {
      const { line } = lines.linePos(top.token.offset);
      throw new UnreadableConfig(`it is nested deeper than ${DEEPEST_NESTING} levels`, line);
    }
    if (top.token.type === "document" && top.token.value) open.push({ token: top.token.value, depth });
    if (!("items" in top.token)) continue;
    for (const { key, value } of top.token.items) {
      if (key) open.push({ token: key, depth });
      if (value) open.push({ token: value, depth });
    }
  }
}

class YamlReader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, ConfigNode>();
  #merged = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  tree(): ConfigNode {
    const error = this.#document.errors[0];
    if (error) throw new UnreadableConfig(error.message, this.#lines.linePos(error.pos[0]).line);
    return this.#node(this.#document.contents, 1);
  }

  #node(node: unknown, lineAbove: number): ConfigNode {
    const line = this.#lineOf(node) ?? lineAbove;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (!target) throw new UnreadableConfig(`the alias *${node.source} has no anchor before it`, line);
      return { ...target, line };
    }
    const read = this.#unaliased(node, line);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, read);
    return read;
  }

  #unaliased(node: unknown, line: number): ConfigNode {
    if (isScalar(node)) return this.#scalar(node, line);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item, line));
      return listNode(items, line, foreignTag(node.tag));
    }
    if (isMap(node)) return this.#map(node.items, line, foreignTag(node.tag));
    // Sets and ordered maps hold pairs; an empty place is null.
    if (typeof node === "object" && node !== null && "key" in node) return this.#map([node], line, "pair");
    return scalarNode(null, line);
  }

  #map(pairs: readonly { key?: unknown; value?: unknown }[], line: number, type: string | undefined): MapNode {
    const entries = new Map<string, MapEntry>();
    const merges: ConfigNode[] = [];
    for (const { key, value } of pairs) {
      const keyNode = this.#node(key, line);
      const valueNode = { ...this.#node(value, keyNode.line), line: keyNode.line };
      if (isMergeKey(key)) merges.push(valueNode);
      else this.#addPair(entries, keyNode, valueNode);
    }
    for (const merge of merges) this.#merge(entries, merge);
    return mapNode(entries, line, type);
  }

  #addPair(entries: Map<string, MapEntry>, key: ConfigNode, value: ConfigNode) {
    if (key.kind === "scalar" && key.type === "string") {
      addEntry(entries, String(key.value), value);
      return;
    }
    const name = key.kind === "scalar" ? String(key.value) : JSON.stringify(plainValue(key));
    addEntry(entries, name, value, key.kind === "scalar" && !key.type.startsWith("!") ? name : `? ${key.type} ${name}`);
  }

  /** What is there already stands above what is merged in, and an earlier merge above a later one. */
  #merge(entries: Map<string, MapEntry>, source: ConfigNode) {
    if (source.kind === "list") {
      for (const item of source.items) this.#merge(entries, item);
      return;
    }
    if (source.kind !== "map") throw new UnreadableConfig("`<<` merges something that is not a map", source.line);
    for (const [segment, entry] of source.entries) {
      this.#merged += 1;
      if (this.#merged > MOST_MERGED_ENTRIES) throw new UnreadableConfig("`<<` merges too much", source.line);
      if (!entries.has(segment)) entries.set(segment, entry);
    }
  }

  #scalar(node: Scalar, line: number): ScalarNode {
    const tag = foreignTag(node.tag);
    if (tag !== undefined) return scalarNode(node.source ?? String(node.value), line, tag);
    const { value } = node;
    if (typeof value === "bigint") {
      const exact = Number.isSafeInteger(Number(value));
      return scalarNode(exact ? Number(value) : String(value), line, "number");
    }
    if (typeof value === "number") {
      return Number.isFinite(value)
        ? scalarNode(value, line)
        : scalarNode(node.source ?? String(value), line, "number");
    }
    return scalarNode(value === null || typeof value === "boolean" ? value : String(value), line);
  }

  #lineOf(node: unknown): number | undefined {
    const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return range ? this.#lines.linePos(range[0]).line : undefined;
  }
}

const isMergeKey = (key: unknown): boolean => isScalar(key) && key.type === "PLAIN" && key.source === "<<";

/** A tag that says more than the value itself, e.g. `!Ref`; the ones of the core schema do not. */
function foreignTag(tag: string | undefined): string | undefined {
  if (tag === undefined || CORE_TAG.test(tag)) return undefined;
  return tag.startsWith("tag:yaml.org,2002:") ? tag.replace("tag:yaml.org,2002:", "!!") : tag;
}
