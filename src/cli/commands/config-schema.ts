import { configJsonSchema } from "../../agent/config-json-schema.js";
import { defineCommand } from "../define-command.js";

export const configSchemaCommand = defineCommand({
  name: "config schema",
  summary: "Print the JSON Schema of kai.yaml, for editors",
  description:
    "Prints the JSON Schema (2020-12) of kai.yaml. Without --json it is the schema alone, fit to be saved; with it, the schema is under the key `schema`.",
  examples: [
    {
      line: "git kai-version config schema > .kai.schema.json",
      does: "Then `# yaml-language-server: $schema=.kai.schema.json` on top of kai.yaml gives completion and checks in editors",
    },
  ],
  async run(_input, { output }) {
    output.result({ schema: configJsonSchema() }, ({ schema }) => JSON.stringify(schema, null, 2));
  },
});
