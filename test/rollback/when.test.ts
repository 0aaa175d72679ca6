import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** 1.0.0 is well, 1.1.0 in force is not: its health command fails. */
async function agentThatIsIll() {
  const agent = await agentWithVersions();
  for (const [version, health] of [
    ["1.0.0", "true"],
    ["1.1.0", "false"],
  ] as const) {
    agent.write("kai.yaml", `agent_id: ai.example.clerk\nlifecycle: {health: {run: "${health}", retries: 0}}\n`);
    agent.write("logic.py", `print("${version}")\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  return agent;
}

test("where the condition holds it goes back to the best target; where not, nothing is done", async () => {
  const agent = await agentThatIsIll();
  const spared = await agent.kai("rollback", "--when", "health == 1", "--json");
  expect([spared.exit, spared.json()]).toEqual([
    0,
    { schemaVersion: 1, triggered: false, condition: "health == 1", metrics: { health: 0 } },
  ]);
  const done = await agent.kai("rollback", "--when", "health == 0 AND minutes_in_force >= 0", "--json");
  expect(done.exit).toBe(0);
  expect(done.json()).toMatchObject({ triggered: true, metrics: { health: 0 }, from: "1.1.0", to: "1.0.0", ok: true });
  // What is in force now is well.
  const again = await agent.kai("rollback", "--when", "health == 0");
  expect(again).toMatchInlineSnapshot(`
    ✓ health == 0: does not hold  (health 1)
    Nothing was done.
    [exit 0]
  `);
});

test.each([[], ["1.0.0"]])(
  "of several looks at once one goes back, and the others see that it is well (%s)",
  async (...named) => {
    const agent = await agentThatIsIll();
    const look = [PROGRAM, "rollback", ...named, "--when", "health == 0", "--json"];
    const looks = await Promise.all([1, 2, 3].map(() => agent.run(process.execPath, look)));
    expect(looks.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(looks.map((each) => each.json().triggered).sort()).toEqual([false, false, true]);
    expect((await agent.kai("log", "--json")).json().operations.map(({ kind }: { kind: string }) => kind)).toEqual([
      "outcome",
      "rollback",
      "create",
      "create",
      "init",
    ]);
  },
);

test("a condition that cannot be read is refused with its place, and health without a command", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  expect(await agent.kai("rollback", "--when", "helth == 0")).toMatchInlineSnapshot(`
    Error E122: The condition cannot be read at character 1, "helth == 0": there is no metric helth.
    Hint: There are health, health_failures, cpu_usage, memory_usage, disk_usage, rollback_success_rate, minutes_in_force.
    [exit 2]
  `);
  expect((await agent.kai("rollback", "--when", "health == 0", "--json")).json().error.code).toBe("E122");
});

test("with nothing to go back to, a condition that holds is E101", async () => {
  const agent = await agentWithVersions("1.0.0");
  const ran = await agent.kai("rollback", "--when", "minutes_in_force >= 0", "--json");
  expect([ran.exit, ran.json().error.code]).toEqual([1, "E101"]);
});
