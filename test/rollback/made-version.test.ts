import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, liveAgent, START } from "./live-agent.js";

const STOP = `stop: {run: 'echo "asked $KAI_VERSION" >> ../events', timeout: 200ms}`;
const FILES = (of: string) => ({ "prompts/system.md": `As ${of} does.\n`, "tools/search.json": `"${of}"\n` });

test("the agent is started, asked and stopped as the version that a rollback makes", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${STOP}\n${START}\n${HEALTH}`), ...FILES("1.0.0") });
  await agent.version("1.1.0", FILES("1.1.0"));
  expect(await told(agent, "rollback", "1.0.0", "--component", "prompts")).toMatchObject({
    version: "1.1.1",
    ok: true,
  });
  expect(agent.events()).toEqual(["asked 1.1.0", "started 1.1.1"]);
  expect(await told(agent, "rollback", "1.0.0", "--path", "tools")).toMatchObject({ version: "1.1.2", ok: true });
  expect(agent.events()).toEqual(["asked 1.1.1", "ended 1.1.1", "started 1.1.2"]);
  await told(agent, "undo");
  expect(agent.events()).toEqual(["asked 1.1.2", "ended 1.1.2", "started 1.1.1"]);
  agent.write("logic.py", "# no version\n");
  agent.commit("feat: no version");
  const { operation } = await told(agent, "rollback", "1.0.0");
  expect(await told(agent, "rollback", operation, "--type", "snapshot")).toMatchObject({ version: "1.1.3", ok: true });
  expect(agent.events().at(-1)).toBe("started 1.1.3");
});
