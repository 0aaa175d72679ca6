import { chmodSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";

async function agentWithRoot(): Promise<{ agent: Agent; says: () => Promise<string> }> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write(
    "kai.yaml",
    "agent_id: ai.example.clerk\nversion_management: {artifacts: {state: {include: [state.json]}}}\ndeploy: {root: ../deployed}\n",
  );
  const says = async () =>
    (await agent.kai("status")).stdout.replaceAll(path.dirname(agent.dir), "").replace(/^[\s\S]*?kai.yaml\n/, "");
  return { agent, says };
}

test("status says what is deployed, and which files were changed there", async () => {
  const { agent, says } = await agentWithRoot();
  expect(await says()).toMatchInlineSnapshot(`
    "
    Nothing is deployed at /deployed.
    "
  `);
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  expect(await says()).toMatchInlineSnapshot(`
    "
    1.0.0 is deployed at /deployed.
    It is not what is in force: \`git kai-version deploy current\` deploys that.
    "
  `);
  await agent.kai("deploy", "1.1.0");
  expect(await says()).toMatchInlineSnapshot(`
    "
    1.1.0 is deployed at /deployed.
    "
  `);
  const folder = path.join(path.dirname(agent.dir), "deployed/versions/v1.1.0");
  expect((await agent.kai("status", "--json")).json().deployment).toEqual({
    root: path.join(path.dirname(agent.dir), "deployed"),
    version: "1.1.0",
    path: folder,
    differs: [],
    problem: null,
  });
  chmodSync(folder, 0o755);
  chmodSync(path.join(folder, "logic.py"), 0o644);
  writeFileSync(path.join(folder, "logic.py"), "import evil\n");
  writeFileSync(path.join(folder, "more.py"), "");
  expect(await says()).toMatchInlineSnapshot(`
    "
    1.1.0 is deployed at /deployed.
    E102: it was changed since:
      changed    logic.py
      extra      more.py
    "
  `);
  expect((await agent.kai("status", "--json")).json().deployment).toMatchObject({
    differs: [
      { path: "logic.py", problem: "changed" },
      { path: "more.py", problem: "extra" },
    ],
    problem: { code: "E102" },
  });
  rmSync(path.join(folder, ".kai-deployment.json"));
  expect(await says()).toMatchInlineSnapshot(`
    "
    1.1.0 is deployed at /deployed.
    E102: The deployment /deployed/versions/v1.1.0 cannot be proven: .kai-deployment.json is missing.
    "
  `);
});

test("an agent that deploys nowhere has no deployment", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect((await agent.kai("status", "--json")).json().deployment).toBeNull();
});
