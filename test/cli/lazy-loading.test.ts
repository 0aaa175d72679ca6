import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const CHUNKS = fileURLToPath(new URL("../../dist/chunks", import.meta.url));

/** Tells at the end which chunks of the program were loaded. */
const SPY = `
const { writeFileSync } = require("node:fs");
process.on("exit", () => {
  const loader = Object.keys(require.cache).find((file) => file.endsWith("/cli/load-chunk.cjs"));
  if (loader) writeFileSync(process.env.LOADED, [...require.cache[loader].exports.loaded.keys()].join("\\n"));
});
`;

// To load it takes longer than all that these do.
test.each([["current"], ["snapshot list"], ["snapshot exec NONE -- true"], ["snapshot logs NONE"]])(
  "`%s` loads neither the parser of YAML nor openpgp",
  async (line) => {
    const agent = await agentWithVersions("1.0.0");
    const [spy, loaded] = ["spy.cjs", "loaded"].map((name) => path.join(agent.dir, "..", name));
    writeFileSync(spy ?? "", SPY);
    await agent.run(process.execPath, [PROGRAM, ...line.split(" ")], {
      NODE_OPTIONS: `--require=${spy}`,
      LOADED: loaded,
    });
    const chunks = readFileSync(loaded ?? "", "utf8").split("\n");
    expect(chunks.length).toBeGreaterThan(3);
    const heavy = /node_modules\/yaml\/|openpgpjs/;
    expect(chunks.filter((name) => heavy.test(readFileSync(path.join(CHUNKS, name), "utf8")))).toEqual([]);
  },
);

test("a kai.yaml that was read before is not parsed again", async () => {
  const agent = await agentWithVersions("1.0.0");
  const [spy, loaded] = ["spy.cjs", "loaded"].map((name) => path.join(agent.dir, "..", name));
  writeFileSync(spy ?? "", SPY);
  const parsers = async () => {
    const env = { NODE_OPTIONS: `--require=${spy}`, LOADED: loaded };
    await agent.run(process.execPath, [PROGRAM, "snapshot", "commit", "NONE"], env);
    const chunks = readFileSync(loaded ?? "", "utf8").split("\n");
    return chunks.filter((name) => readFileSync(path.join(CHUNKS, name), "utf8").includes("node_modules/yaml/"));
  };
  appendFileSync(path.join(agent.dir, "kai.yaml"), "# Read anew.\n");
  expect(await parsers()).toHaveLength(1);
  expect(await parsers()).toEqual([]);
});
