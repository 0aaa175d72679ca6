import type { ConfigProblem } from "./config-problem.js";
import { type Given, type GivenEntry, type GivenMap, joinPath, type Position } from "./given.js";
import { nearest } from "./nearest.js";
import type { EitherSchema, ListSchema, ObjectSchema, RecordSchema, ScalarSchema, Schema } from "./schema.js";

/** The effective value of one key. */
export interface ConfigValue {
  /** `snapshot_isolation.tests[0].run` */
  readonly key: string;
  /** The same without what the user chose: `snapshot_isolation.tests.run`, `snapshot_isolation.base_images.*`. */
  readonly pattern: string;
  readonly value: unknown;
  /** The entry of the file that it comes from; undefined for a default. */
  readonly from: GivenEntry | undefined;
}

export interface ReadConfig {
  readonly value: unknown;
  readonly values: readonly ConfigValue[];
  readonly problems: readonly ConfigProblem[];
}

/** Checks what a file says against the schema, fills in the defaults and notes where each value comes from. */
export function readConfig(schema: Schema, root: GivenMap, file: string): ReadConfig {
  const reader = new ConfigReader(file);
  const value = reader.read(schema, root, { key: "", pattern: "", from: undefined, written: "" });
  return { value, values: reader.values, problems: reader.problems };
}

interface Place {
  readonly key: string;
  readonly pattern: string;
  readonly from: GivenEntry | undefined;
  /** The path as it stands in the file, for messages. */
  readonly written: string;
}

class ConfigReader {
  readonly values: ConfigValue[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  read(schema: Schema, given: Given | undefined, place: Place): unknown {
    switch (schema.kind) {
      case "scalar":
        return this.#readScalar(schema, given, place);
      case "object":
        return this.#readObject(schema, given, place);
      case "record":
        return this.#readRecord(schema, given, place);
      case "list":
        return this.#readList(schema, given, place);
      case "either":
        return this.#readEither(schema, given, place);
    }
  }

  #readScalar(schema: ScalarSchema, given: Given | undefined, place: Place): unknown {
    if (!given) return this.#note(place, schema.fallback);
    const value = given.kind === "scalar" ? schema.read(given) : undefined;
    if (value !== undefined) return this.#note(place, value);
    const found = given.kind === "scalar" ? quote(given.source) : given.kind === "list" ? "a list" : "keys";
    const near = given.kind === "scalar" ? nearest(given.source, schema.allowed ?? []) : undefined;
    this.#report(
      given.at,
      place.written,
      `${place.written} must be ${schema.expected}, not ${found}.${near ? ` Did you mean ${near}?` : ""}`,
      schema.allowed,
    );
    return undefined;
  }

  #readObject(schema: ObjectSchema, given: Given | undefined, place: Place): unknown {
    const entries = this.#entriesOf(given, place, "keys with their values");
    const known = Object.keys(schema.fields);
    for (const [key, entry] of entries) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      const within = place.written === "" ? "" : ` in ${place.written}`;
      this.#report(
        entry.keyAt,
        entry.path,
        `Unknown key ${quote(key)}${within}.${near ? ` Did you mean ${near}?` : ""}`,
        known,
      );
    }
    const value: Record<string, unknown> = {};
    for (const [key, { schema: inner }] of Object.entries(schema.fields)) {
      const entry = entries.get(key);
      if (!entry && inner.kind === "scalar" && inner.fallback === undefined) {
        const at = given?.at ?? { line: 1, column: 1 };
        this.#report(
          at,
          joinPath(place.written, key),
          `${joinPath(place.written, key)} is missing: ${inner.expected}.`,
        );
        continue;
      }
      value[key] = this.read(inner, entry?.value, {
        key: joinPath(place.key, key),
        pattern: joinPath(place.pattern, key),
        from: entry,
        written: entry?.path ?? joinPath(place.written, key),
      });
    }
    return value;
  }

  #readRecord(schema: RecordSchema, given: Given | undefined, place: Place): unknown {
    const entries = this.#entriesOf(given, place, "keys with their values");
    if (entries.size === 0) return this.#note(place, schema.fallback);
    const value: Record<string, unknown> = {};
    for (const [key, entry] of entries) {
      if (!schema.keyPattern.test(key)) {
        this.#report(entry.keyAt, entry.path, `${quote(key)} is not ${schema.keyForm}.`);
        continue;
      }
      value[key] = this.read(schema.of, entry.value, {
        key: joinPath(place.key, key),
        pattern: `${place.pattern}.*`,
        from: entry,
        written: entry.path,
      });
    }
    return value;
  }

  #readList(schema: ListSchema, given: Given | undefined, place: Place): unknown {
    if (!given || isNull(given)) return this.#note(place, schema.fallback);
    if (given.kind !== "list") {
      this.#report(given.at, place.written, `${place.written} must be a list.`);
      return [];
    }
    if (schema.of.kind === "scalar") {
      const items = new ConfigReader(this.#file);
      const value = given.items.map((item, index) => items.read(schema.of, item, itemPlace(place, index)));
      this.problems.push(...items.problems);
      return this.#note(place, value);
    }
    if (given.items.length === 0) return this.#note(place, []);
    return given.items.map((item, index) => this.read(schema.of, item, itemPlace(place, index)));
  }

  #readEither(schema: EitherSchema, given: Given | undefined, place: Place): unknown {
    if (!given || isNull(given)) return this.#note(place, schema.scalar.fallback);
    return this.read(given.kind === "scalar" ? schema.scalar : schema.collection, given, place);
  }

  #entriesOf(given: Given | undefined, place: Place, expected: string): ReadonlyMap<string, GivenEntry> {
    if (given?.kind === "map") return given.entries;
    // `tests:` with every line below it commented out says nothing.
    if (given && !isNull(given)) this.#report(given.at, place.written, `${place.written} must hold ${expected}.`);
    return new Map();
  }

  #note(place: Place, value: unknown): unknown {
    this.values.push({ key: place.key, pattern: place.pattern, value, from: place.from });
    return value;
  }

  #report(at: Position, path: string, message: string, allowed: readonly string[] = []): void {
    this.problems.push({ file: this.#file, line: at.line, column: at.column, path, message, allowed });
  }
}

const itemPlace = (place: Place, index: number): Place => ({
  ...place,
  key: `${place.key}[${index}]`,
  written: `${place.written}[${index}]`,
});

const isNull = (given: Given): boolean => given.kind === "scalar" && given.value === null;

const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
