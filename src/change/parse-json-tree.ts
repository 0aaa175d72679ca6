import {
  addEntry,
  type ConfigNode,
  DEEPEST_NESTING,
  listNode,
  type MapEntry,
  mapNode,
  scalarNode,
  UnreadableConfig,
} from "./config-tree.js";

const BLANK = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/y;
const STRING = /"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"/y;
const WORD = /[^\s,:[\]{}"/]+/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Reads JSON (RFC 8259), with comments and trailing commas as editors' settings files have them. Exact where
 * JSON.parse is not: a key that is there twice is an error, and large integers keep all their digits.
 */
export function parseJsonTree(text: string): ConfigNode {
  return new JsonReader(text).document();
}

class JsonReader {
  readonly #text: string;
  #at: number;
  #line = 1;
  /** Where the current line ends. */
  #lineEnd: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith("\uFEFF") ? 1 : 0;
    this.#lineEnd = text.indexOf("\n");
  }

  document(): ConfigNode {
    const root = this.#value(0);
    this.#skipBlank();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return root;
  }

  #value(depth: number): ConfigNode {
    if (depth > DEEPEST_NESTING) {
      throw new UnreadableConfig(`it is nested deeper than ${DEEPEST_NESTING} levels`, this.#lineHere());
    }
    this.#skipBlank();
    const line = this.#lineHere();
    const next = this.#text[this.#at];
    if (next === "{") return this.#map(depth, line);
    if (next === "[") return this.#list(depth, line);
    return next === '"' ? scalarNode(this.#string(), line) : this.#word(line);
  }

  #map(depth: number, line: number): ConfigNode {
    const entries = new Map<string, MapEntry>();
    this.#at += 1;
    while (!this.#take("}")) {
      if (entries.size > 0 && !this.#take(",")) throw this.#unexpected("`,` or `}`");
      if (entries.size > 0 && this.#take("}")) break;
      this.#skipBlank();
      const keyLine = this.#lineHere();
      const name = this.#string();
      if (!this.#take(":")) throw this.#unexpected("`:`");
      addEntry(entries, name, { ...this.#value(depth + 1), line: keyLine });
    }
    return mapNode(entries, line);
  }

  #list(depth: number, line: number): ConfigNode {
    const items: ConfigNode[] = [];
    this.#at += 1;
    while (!this.#take("]")) {
      if (items.length > 0 && !this.#take(",")) throw this.#unexpected("`,` or `]`");
      if (items.length > 0 && this.#take("]")) break;
      items.push(this.#value(depth + 1));
    }
    return listNode(items, line);
  }

  #string(): string {
    const raw = this.#match(STRING);
    if (raw === undefined) throw this.#unexpected("a string in double quotes");
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new UnreadableConfig(`${raw.slice(0, 40)} is not a valid string`, this.#lineHere());
    }
  }

  #word(line: number): ConfigNode {
    const word = this.#match(WORD);
    if (word === "true" || word === "false") return scalarNode(word === "true", line);
    if (word === "null") return scalarNode(null, line);
    const number = word === undefined ? null : NUMBER.exec(word);
    if (word === undefined || !number) {
      this.#at -= word?.length ?? 0;
      throw this.#unexpected("a value");
    }
    const value = Number(word);
    const whole = number[1] === undefined && number[2] === undefined;
    const exact = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
    return scalarNode(exact ? value : word, line, "number");
  }

  #take(character: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipBlank() {
    while (this.#match(BLANK) !== undefined);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #lineHere(): number {
    while (this.#lineEnd !== -1 && this.#lineEnd < this.#at) {
      this.#line += 1;
      this.#lineEnd = this.#text.indexOf("\n", this.#lineEnd + 1);
    }
    return this.#line;
  }

  #unexpected(wanted: string): UnreadableConfig {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 12)) : "the end";
    return new UnreadableConfig(`${wanted} was expected, ${found} found`, this.#lineHere());
  }
}
