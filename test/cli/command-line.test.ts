import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.js";
import { agentWithVersions } from "../support/agent.js";

const KAI = fileURLToPath(new URL("../../bin/kai", import.meta.url));

test("the list of commands and the commands themselves say the same", async () => {
  for (const { name, summary, load } of COMMANDS) {
    const command = await load();
    expect({ name: command.name, summary: command.summary }).toEqual({ name, summary });
  }
});

test("options in front are the program's own, whatever stands behind --", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\nsnapshot_isolation: {base_images: host}\n");
  agent.commit("feat: use the host's programs");
  await agent.kai("create", "--as", "1.1.0");
  const command = ["1.1.0", "--", "sh", "-c", 'echo "$# $1"', "sh", "--quiet"];
  const ran = await agent.kai("--json", "snapshot", "test", ...command);
  expect(ran.json()).toMatchObject({ version: "1.1.0", stdout: "1 --quiet\n" });
  const named = [process.execPath, KAI, "snapshot", "test", "clerk", ...command];
  const away = await agent.run("sh", ["-c", 'cd / && exec "$@"', "sh", ...named], {
    KAI_AGENTS: path.dirname(agent.dir),
  });
  expect(away.stdout).toContain("1 --quiet\n");
});

test("a number that is none is told as such, not as wrong usage", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("create", "--as", "banana")).toMatchInlineSnapshot(`
    Error E107: 'banana' is not a semantic version.
    Hint: Versions look like 1.4.0 or 2.0.0-rc.1: three numbers, then a pre-release behind a dash.
    [exit 2]
  `);
  expect((await agent.kai("list", "--limit", "few")).stderr).toContain("E122");
});

test("two wishes for one number are refused before anything is looked at", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("create", "--as", "3.0.0", "--bump", "minor")).toMatchInlineSnapshot(`
    Error E122: --as names the number already, so --bump cannot go with it.
    [exit 2]
  `);
});

test("a file that is not there is named as it was typed", async () => {
  const agent = await agentWithVersions("1.0.0");
  const validated = await agent.kai("config", "validate", "/nowhere/kai.yaml");
  expect(validated.stderr).toContain("Error E123: /nowhere/kai.yaml could not be read");
  const imported = await agent.kai("key", "import", "/nowhere/key.asc");
  expect(imported.stderr).toContain("The key file /nowhere/key.asc could not be read: there is no such file.");
});
