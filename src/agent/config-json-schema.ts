import { KAI_YAML } from "./kai-yaml/kai-yaml.js";
import { OLDER_FORMS } from "./older-forms.js";
import type { Fields, JsonSchema, Schema } from "./schema.js";

/** The JSON Schema (2020-12) of kai.yaml, with its older forms, for editors. */
export function configJsonSchema(): JsonSchema {
  const { agent_id: agentId, ...others } = KAI_YAML.fields;
  const properties: Record<string, unknown> = fieldsOf({ agent_id: agentId, ...others });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "kai.yaml",
    description: "The configuration of an agent that git kai-version versions.",
    type: "object",
    additionalProperties: false,
    properties: { ...properties, ...olderProperties(properties) },
    anyOf: [
      { required: ["agent_id"] },
      { properties: { versioning_system: { required: ["agent_id"] } }, required: ["versioning_system"] },
      { properties: { agent_versioning: { required: ["agent_id"] } }, required: ["agent_versioning"] },
    ],
  };
}

const fieldsOf = (fields: Fields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([key, { summary, schema }]) => {
      const fallback = "fallback" in schema ? schema.fallback : undefined;
      return [
        key,
        { description: summary, ...jsonSchemaOf(schema), ...(fallback !== undefined && { default: fallback }) },
      ];
    }),
  );

function jsonSchemaOf(schema: Schema): JsonSchema {
  switch (schema.kind) {
    case "scalar":
      return schema.json;
    case "list":
      return { type: ["array", "null"], items: jsonSchemaOf(schema.of) };
    case "record":
      return {
        type: ["object", "null"],
        propertyNames: { pattern: schema.keyPattern.source },
        additionalProperties: jsonSchemaOf(schema.of),
      };
    case "either":
      return { anyOf: [schema.scalar.json, jsonSchemaOf(schema.collection)], default: schema.scalar.fallback };
    case "object": {
      const required = Object.keys(schema.fields).filter((key) => {
        const inner = schema.fields[key]?.schema;
        return inner?.kind === "scalar" && inner.fallback === undefined;
      });
      return {
        type: required.length > 0 ? "object" : ["object", "null"],
        additionalProperties: false,
        properties: fieldsOf(schema.fields),
        ...(required.length > 0 && { required }),
      };
    }
  }
}

type Node = { properties?: Record<string, unknown> };

function olderProperties(properties: Record<string, unknown>): Record<string, unknown> {
  const older: Record<string, { [keyword: string]: unknown; properties: Record<string, unknown> }> = {};
  for (const { from, to, keys } of OLDER_FORMS) {
    const [first = "", second] = from;
    let at: Node = { properties };
    for (const key of to) at = (at.properties?.[key] ?? {}) as Node;
    const picked = Object.fromEntries(
      Object.entries(at.properties ?? {}).filter(([key]) => keys?.includes(key) ?? true),
    );
    older[first] ??= {
      description: "An older form of this file.",
      deprecated: true,
      type: ["object", "null"],
      additionalProperties: false,
      properties: {},
    };
    Object.assign(
      older[first].properties,
      second === undefined
        ? picked
        : { [second]: { type: ["object", "null"], additionalProperties: false, properties: picked } },
    );
  }
  return older;
}
