import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leftovers } from "../operation/observe.js";
import { refsOf, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { kaiYaml, liveAgent, START } from "./live-agent.js";

const state = (agent: Agent) => readFileSync(path.join(agent.dir, "state.json"), "utf8");

const kept = (agent: Agent) => refsOf(agent, "refs/tags/v*", "refs/heads", "refs/kai/state");

test("the state of another version goes back alone: the version in force stays, and nothing is made or withdrawn", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  agent.write("state.json", '{"seen": "live"}\n');
  const before = [kept(agent), await told(agent, "list"), await told(agent, "state", "list")];
  const planned = await agent.kai("rollback", "1.1.0", "--component", "state", "--dry-run");
  expect(planned.stdout).toContain(
    "Would take the state of 1.1.0 back by the policy built-in; 1.2.0 stays in force.\n",
  );
  expect(planned.stdout).not.toContain("no version yet");
  expect((await agent.kai("rollback", "1.1.0", "--component", "state")).stdout).toMatch(
    /^✓ Took the state of 1\.1\.0 back, 1\.2\.0 stays in force\n {2}The files stay as they are: no commit and no version was needed\.\n(?:.*\n)*The agent's state is that which was captured with 1\.1\.0\.\n/,
  );
  expect(state(agent)).toBe('{"seen": "1.1.0"}\n');
  expect([kept(agent), await told(agent, "list"), await told(agent, "state", "list")]).toEqual(before);
  expect(await told(agent, "status")).toMatchObject({
    current: "1.2.0",
    latest: "1.2.0",
    modified: [],
    unversioned: 0,
  });
  const [entry] = (await told(agent, "log", "--limit", "1")).operations;
  expect(entry.subject).toBe("rollback v1.2.0 -> the state of v1.1.0");
  const { targets } = await told(agent, "rollback", "--suggest");
  expect(targets.map(({ version, left }: { version: string; left: number }) => [version, left])).toEqual([
    ["1.1.0", 0],
    ["1.0.0", 0],
  ]);
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
  expect(await told(agent, "undo")).toMatchObject({ from: "1.2.0", to: "1.2.0", withdrawn: [], restored: [] });
  expect(state(agent)).toBe('{"seen": "live"}\n');
  expect(leftovers(agent)).toEqual([]);
});

test("a part by which the branch comes to the files of the version in force makes no version either", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("tools/search.json", '{"name": "other"}\n');
  agent.commit("feat: other tools");
  const ran = await agent.kai("rollback", "1.0.0", "--component", "tools");
  expect(ran.stdout).toMatch(/^✓ Took parts of 1\.0\.0 back, 1\.1\.0 is in force\n {2}commit {3}/);
  expect(ran.stdout).not.toContain("made of the files");
  expect(agent.git("diff", "--stat", "HEAD", "v1.1.0")).toBe("");
  expect((await told(agent, "list")).versions.map(({ version }: { version: string }) => version)).toHaveLength(2);
  await told(agent, "undo");
  expect(agent.git("diff", "--name-only", "HEAD", "v1.1.0")).toBe("tools/search.json");
});

test("a policy that leaves the state refuses what takes nothing else back", async () => {
  const agent = await liveAgent();
  const policy = "rollback_system: {policies: [{name: files, steps: [{type: start_agent}]}]}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(START, policy) });
  expect(await refused(agent, "rollback", "0.9.0", "--component", "state", "--policy", "files")).toMatchObject({
    code: "E109",
    message: "The policy files has no restore_data: nothing would go back.",
  });
});

test("what is not well with the state of another version has its own again, and is told of by that", async () => {
  const agent = await liveAgent();
  const health = `health: {run: 'grep -q "started $KAI_VERSION" ../events && ! grep -q 0.9.0 state.json', retries: 3}`;
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${health}`) });
  agent.write("state.json", '{"seen": "live"}\n');
  const error = await refused(agent, "rollback", "0.9.0", "--component", "state");
  expect(error).toMatchObject({ code: "E127", exit: 1 });
  expect(error.message).toMatch(/^The rollback to the state of 0\.9\.0 did not hold: .* 1\.0\.0 is in force instead/);
  const subjects = (await told(agent, "log")).operations.map(({ subject }: { subject: string }) => subject);
  expect(subjects).toContain("outcome of rollback 1.0.0 -> the state of 0.9.0: failed");
});

test("what is deployed is started again with it, and stays deployed", async () => {
  const agent = await liveAgent();
  const root = path.join(agent.dir, "../deployed");
  const events = "$KAI_DEPLOYMENT/../events";
  const lifecycle = `stop: {run: 'echo "asked $KAI_VERSION" >> "${events}"', timeout: 200ms}\nstart: {run: 'echo "started $KAI_VERSION" >> "${events}"; exec sleep 100'}`;
  const yaml = kaiYaml(lifecycle, "deploy: {root: ../deployed}");
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  await told(agent, "deploy", "1.0.0", "--to", root);
  agent.events();
  const back = await told(agent, "rollback", "0.9.0", "--component", "state", "--force");
  expect(back.plan.deployment).toMatchObject({ from: "1.0.0", to: "1.0.0" });
  expect(agent.events()).toEqual(["asked 1.0.0", "started 1.0.0"]);
  expect(await told(agent, "status")).toMatchObject({ current: "1.1.0", deployment: { version: "1.0.0" } });
});

test("that a newer version wrote the live state is said only of one that is newer than the target", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const risksOf = async (...args: string[]): Promise<string[]> => {
    const { plan } = await told(agent, "rollback", ...args, "--dry-run");
    return plan.risks.map(({ kind }: { kind: string }) => kind);
  };
  for (const how of [["--keep-state"], ["--component", "prompts"]])
    expect(await risksOf("1.0.0", ...how)).toContain("state_newer");
  await told(agent, "rollback", "1.0.0");
  for (const how of [["--keep-state"], ["--component", "prompts"]])
    expect(await risksOf("1.1.0", ...how)).not.toContain("state_newer");
});

test("going back to what is in force already names the way to its state, where some was captured with it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const { code, hint } = await refused(agent, "rollback", "1.0.0");
  const way = "`git kai-version rollback 1.0.0 --component state` takes back the state that was captured with it.";
  expect([code, hint]).toEqual(["E109", way]);
  agent.write("state.json", '{"seen": "live"}\n');
  expect(await told(agent, "rollback", "1.0.0", "--component", "state")).toMatchObject({
    from: "1.0.0",
    version: "1.0.0",
  });
  expect(state(agent)).toBe('{"seen": "1.0.0"}\n');
  agent.git("update-ref", "-d", "refs/kai/state/v1.0.0");
  expect((await refused(agent, "rollback", "1.0.0")).hint).toBe("There is nothing to go back to.");
});
