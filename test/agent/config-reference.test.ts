import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema } from "../../src/agent/config-json-schema.js";
import { EFFECTIVE_KEYS } from "../../src/agent/effective-keys.js";
import { formatReference, referenceKeys } from "./config-reference.js";

const DOCS = new URL("../../docs/configuration.md", import.meta.url);
const BEGIN =
  "<!-- begin of the reference, made from the schema: `npx vitest run test/agent/config-reference.test.ts -u` -->\n";
const END = "<!-- end of the reference -->\n";

test("docs/configuration.md has every key, as the schema has it", async () => {
  const docs = readFileSync(DOCS, "utf8");
  const before = docs.slice(0, docs.indexOf(BEGIN) + BEGIN.length);
  const after = docs.slice(docs.indexOf(END));
  expect(docs).toContain(BEGIN);
  expect(docs).toContain(END);
  await expect(`${before}\n${formatReference()}\n${after}`).toMatchFileSnapshot(DOCS.pathname);
});

test("every key that is said to be in effect is a key", () => {
  const keys = referenceKeys().map(({ key }) => key.replaceAll("[]", ""));
  const known = new Set([
    ...keys,
    ...keys.map((key) => key.replace(/(artifacts)\.\w+\./, "$1.*.")),
    ...["python", "node", "custom"].map((runtime) => `snapshot_isolation.base_images.${runtime}`),
  ]);
  expect(Object.keys(EFFECTIVE_KEYS).filter((key) => !known.has(key))).toEqual([]);
});

interface Node {
  properties?: Record<string, Node>;
  items?: Node;
  additionalProperties?: Node | false;
  anyOf?: Node[];
  required?: string[];
  deprecated?: boolean;
  default?: unknown;
}

test("the JSON Schema has every key, and the older forms", () => {
  const schema = configJsonSchema() as Node;
  const keysOf = (node: Node, path: string): string[] => [
    ...Object.entries(node.properties ?? {})
      .filter(([, inner]) => !inner.deprecated)
      .flatMap(([key, inner]) => {
        const at = path === "" ? key : `${path}.${key}`;
        return [at, ...keysOf(inner, at)];
      }),
    ...(node.items ? keysOf(node.items, `${path}[]`) : []),
  ];
  expect(keysOf(schema, "")).toEqual(referenceKeys().map(({ key }) => key));
  expect(schema.properties?.["versioning_system"]?.properties).toHaveProperty("agent_id");
  expect(schema.properties?.["agent_versioning"]?.properties?.["versioning"]?.properties).toHaveProperty("tag_format");
  expect(schema.properties?.["isolation"]?.properties).toHaveProperty("temp_dir");
  expect(schema.properties?.["isolation"]?.additionalProperties).toBe(false);
});
