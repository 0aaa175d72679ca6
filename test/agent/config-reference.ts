import { EFFECTIVE_KEYS, isInEffect } from "../../src/agent/effective-keys.js";
import { KAI_YAML } from "../../src/agent/kai-yaml/kai-yaml.js";
import type { Schema } from "../../src/agent/schema.js";

export interface ReferenceKey {
  key: string;
  summary: string;
  schema: Schema;
}

/** Every key of kai.yaml in its order, `<name>` for what users name and `[]` for the items of a list. */
export function referenceKeys(schema: Schema = KAI_YAML, key = ""): ReferenceKey[] {
  switch (schema.kind) {
    case "object":
      return Object.entries(schema.fields).flatMap(([name, field]) => {
        const path = key === "" ? name : `${key}.${name}`;
        return [{ key: path, summary: field.summary, schema: field.schema }, ...referenceKeys(field.schema, path)];
      });
    case "list":
      return referenceKeys(schema.of, `${key}[]`);
    case "record":
      return referenceKeys(schema.of, `${key}.<name>`);
    case "either":
      return referenceKeys(schema.collection, key);
    case "scalar":
      return [];
  }
}

/** The tables of docs/configuration.md, made from the schema. */
export function formatReference(): string {
  const lines: string[] = [];
  for (const { key, summary, schema } of referenceKeys()) {
    if (!key.includes(".") && schema.kind === "object") {
      lines.push("", `### ${key}`, "", summary, "", "| key | value | default | in effect |", "|---|---|---|---|");
    } else if (!key.includes(".")) {
      lines.push(
        "",
        `### ${key}`,
        "",
        "| key | value | default | in effect |",
        "|---|---|---|---|",
        row(key, summary, schema),
      );
    } else if (schema.kind !== "object") lines.push(row(key, summary, schema));
  }
  return `${lines.join("\n").trim()}\n`;
}

const row = (key: string, summary: string, schema: Schema): string =>
  `| \`${key}\` | ${cell(`${summary} ${form(schema)}`)} | ${fallback(schema)} | ${effect(key.replaceAll("[]", ""), schema)} |`;

const form = (schema: Schema): string => {
  switch (schema.kind) {
    case "scalar":
      return `*${schema.expected}*`;
    case "list":
      return schema.of.kind === "scalar" ? `*list; each ${schema.of.expected}*` : "*list*";
    case "record":
      return `*keys: ${schema.keyForm}; values: ${schema.of.kind === "scalar" ? schema.of.expected : "keys"}*`;
    case "either":
      return `*${schema.scalar.expected}; or ${form(schema.collection).slice(1)}`;
    case "object":
      return "";
  }
};

const fallback = (schema: Schema): string => {
  const value = schema.kind === "either" ? schema.scalar.fallback : schema.kind === "object" ? "" : schema.fallback;
  return value === undefined
    ? "required"
    : `\`${cell(Array.isArray(value) ? `[${value.join(", ")}]` : JSON.stringify(value))}\``;
};

const effect = (pattern: string, schema: Schema): string => {
  const only = EFFECTIVE_KEYS[pattern];
  if (Array.isArray(only)) return `only \`${only.map(String).join("`, `")}\``;
  const value = schema.kind === "scalar" ? schema.fallback : undefined;
  if (schema.kind === "scalar" && schema.allowed?.length === 1) return "one choice";
  return isInEffect({ key: pattern, pattern, value }) ? "yes" : "not yet";
};

const cell = (text: string): string => text.replaceAll("|", "\\|");
