import { renameSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { placeAt } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const kaiYaml = (trigger: string) => `agent_id: ai.example.clerk\nlifecycle: {trigger: ${trigger}}\n`;

test("trigger run says what is due, makes it, and says that nothing is any more", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("trigger", "run")).toMatchInlineSnapshot(`
    kai.yaml names no occasion to look at: \`lifecycle.trigger.on\` may hold dependency and schedule.
    [exit 0]
  `);
  agent.write("kai.yaml", kaiYaml('{on: [dependency, schedule], schedule: "* * * * *"}'));
  await makeVersion(agent, "1.1.0", "feat: triggers");
  agent.write("requirements.txt", "idna==3.7\n");
  agent.commit("fix: a dependency");
  const planned = await agent.kai("trigger", "run", "--dry-run");
  expect(planned.stdout).toMatch(/^Would create 1\.1\.1\.\nTRIGGER +DUE +WHY\ndependency +yes +idna 3\.7 is new\n/);
  expect(agent.git("tag", "--list", "v1.1.1")).toBe("");
  const made = await agent.kai("trigger", "run");
  expect([made.exit, made.stdout.split("\n")[0]]).toEqual([0, "✓ Created 1.1.1"]);
  const again = await agent.kai("trigger", "run");
  expect((await agent.kai("trigger", "run", "--quiet")).stdout).toBe("");
  expect(again.stdout).toMatch(/^Nothing is due\.\nTRIGGER /);
  expect(again.stdout).toMatch(/\nThe schedule comes next at \d{4}-\d\d-\d\d \d\d:\d\d\.\n$/);
});

test("the schedule goes by the clock of the machine's time zone", async () => {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", kaiYaml('{on: [schedule], schedule: "30 3 * * *"}'));
  agent.commit("feat: triggers");
  for (const [TZ, time] of [
    ["Asia/Kolkata", "T22:00:00Z"],
    ["UTC", "T03:30:00Z"],
  ]) {
    const ran = await placeAt(agent.dir, { ...agent.env, TZ }).kai("trigger", "run", "--dry-run", "--json");
    expect(ran.json().next, TZ).toMatch(new RegExp(`${time}$`));
  }
});

test("kai trigger run names the agent", async () => {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", kaiYaml('{on: [schedule], schedule: "* * * * *"}'));
  agent.commit("feat: triggers");
  const KAI_AGENTS = path.dirname(agent.dir);
  renameSync(agent.dir, path.join(KAI_AGENTS, "teller"));
  const place = placeAt(KAI_AGENTS, { ...agent.env, KAI_AGENTS });
  const ran = await place.run("kai", ["trigger", "run", "teller", "--json"]);
  expect(ran.json()).toMatchObject({ ran: [{ trigger: "schedule", version: "1.0.0" }], dryRun: false });
});

test("a rollback tells of the version that was made before it", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", kaiYaml("{on: [before-operation]}"));
  await makeVersion(agent, "1.1.0", "feat: triggers");
  agent.write("logic.py", "more\n");
  agent.commit("feat: more");
  const done = await agent.kai("rollback", "1.0.0");
  expect([done.exit, done.stderr]).toEqual([0, ""]);
  expect(done.stdout).toContain("\n  before   what was committed is 1.2.0\n");
});
