import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const ID = "ai.example.helper";

const dependsOn = (agents: Readonly<Record<string, string>>) =>
  JSON.stringify({
    agent_id: "ai.example.clerk",
    version_management: { dependencies: { agents } },
    lifecycle: { trigger: { on: ["dependency"] } },
  });

/** An agent with version 1.0.0 that depends on another one, which has 2.1.0 in force and is in the folder of agents. */
async function agentAndHelper(range: string): Promise<{ agent: Agent; helper: Pick<Agent, "dir" | "env"> }> {
  const [agent, stranger] = [await agentWithVersions(), await agentWithVersions("2.1.0")];
  agent.write("kai.yaml", dependsOn({}));
  agent.commit("feat: triggers");
  await told(agent, "create");
  stranger.write("kai.yaml", `agent_id: ${ID}\n`);
  stranger.commit("feat: a name of its own");
  await told(stranger, "create", "--as", "2.2.0");
  await told(stranger, "rollback", "2.1.0");
  stranger.write("kai.yaml", `agent_id: ${ID}\n`);
  const agents = path.join(path.dirname(agent.dir), "agents");
  // What is no agent, and what nobody can read, is passed over.
  for (const name of ["a-folder", "b-broken"]) mkdirSync(path.join(agents, name), { recursive: true });
  writeFileSync(path.join(agents, "b-broken/kai.yaml"), "agent_id: [\n");
  writeFileSync(path.join(agents, "a-file"), "");
  const dir = path.join(agents, "c-helper");
  renameSync(stranger.dir, dir);
  agent.env["KAI_AGENTS"] = agents;
  agent.write("kai.yaml", dependsOn({ [ID]: range }));
  agent.commit("feat: depend on a helper");
  return { agent, helper: { dir, env: stranger.env } };
}

const run = async (agent: Agent) => (await told(agent, "trigger", "run")).ran[0];
const recorded = async (agent: Agent, version: string) => (await told(agent, "show", version)).record.dependencies;

test("a version records what the agents that it depends on have in force, and one is due when that changes", async () => {
  const { agent, helper } = await agentAndHelper("^2.0.0");
  expect(await run(agent)).toEqual({ trigger: "dependency", version: "1.1.0", why: `${ID} is 2.1.0` });
  expect(await recorded(agent, "1.1.0")).toEqual({ agents: { [ID]: "2.1.0" } });
  expect(await recorded(agent, "1.0.0")).toBeUndefined();
  expect(await run(agent)).toMatchObject({ version: null, why: "none differs from 1.1.0" });
  await told(helper, "create", "--as", "2.3.0", "--include-changes");
  expect(await run(agent)).toMatchObject({ version: "1.1.1", why: `${ID} 2.1.0 -> 2.3.0` });
  expect(await recorded(agent, "1.1.1")).toEqual({ agents: { [ID]: "2.3.0" } });
  expect(agent.git("rev-parse", "v1.1.1^{commit}")).toBe(agent.git("rev-parse", "v1.1.0^{commit}"));
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 3 });
  agent.write("prompts/system.md", "You are another clerk.\n");
  agent.write("tools/more.json", "{}\n");
  agent.commit("feat: another prompt, and a tool");
  await told(agent, "rollback", "1.0.0", "--component", "prompts");
  expect(await recorded(agent, "1.1.2")).toEqual({ agents: { [ID]: "2.3.0" } });
});

test("what is in force outside the range, or is not there, makes no version due", async () => {
  const { agent, helper } = await agentAndHelper("~2.1.0");
  await run(agent);
  await told(helper, "create", "--as", "2.3.0", "--include-changes");
  const why = `no version in its range is in force here of ${ID}`;
  expect(await run(agent)).toEqual({ trigger: "dependency", version: null, why });
  renameSync(helper.dir, `${helper.dir}-gone`);
  agent.env["KAI_AGENTS"] = "/nowhere";
  expect(await run(agent)).toMatchObject({ version: null, why });
  agent.write("logic.py", "more\n");
  agent.commit("fix: more");
  await told(agent, "create");
  expect(await recorded(agent, "1.1.1")).toEqual({ agents: { [ID]: null } });
});
