import { expect, test } from "vitest";
import { entryAt, leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const SICK = "health: {run: exit 9, timeout: 5s, retries: 0}";
const recovery = (text: string) => `rollback_system: {recovery: {${text}}}`;

/** 1.0.0 was well, 1.1.0 is not, and 1.2.0 is in force. */
async function agentOfThree(more = ""): Promise<LiveAgent> {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`, more) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${SICK}`, more) });
  await agent.version("1.2.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`, more) });
  agent.write("state.json", '{"seen": "live"}\n');
  return agent;
}

test("a version that is not well is left again: everything is as before, and the log tells of each step", async () => {
  const agent = await agentOfThree();
  const tree = agent.git("rev-parse", "HEAD^{tree}");
  const ran = await agent.kai("rollback", "1.1.0", "--json");
  expect(ran.exit).toBe(1);
  const { error } = ran.json();
  expect(error).toMatchObject({
    code: "E127",
    recovered: { strategy: "emergency_snapshot", to: "1.2.0", ok: true, error: null },
    fallbacks: [{ strategy: "emergency_snapshot" }],
    rollback: { ok: false, version: "1.1.0" },
  });
  expect(error.message).toContain("1.2.0 is in force instead (emergency_snapshot)");
  expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(tree);
  expect(agent.read("state.json")).toBe('{"seen": "live"}\n');
  expect(agent.events()).toEqual(["started 1.1.0", "ended 1.1.0", "started 1.2.0"]);
  const entries = [0, 1, 2, 3].map((back) => entryAt(agent, `refs/kai/log~${back}`));
  expect(entries.map(({ kind, details }) => [kind, details["ok"]])).toEqual([
    ["outcome", true],
    ["rollback", undefined],
    ["outcome", false],
    ["rollback", undefined],
  ]);
  expect(entries[1]?.details["recovers"]).toBe(entries[3]?.id);
  expect(leftovers(agent)).toEqual([]);
  const suggested = await told(agent, "rollback", "--suggest");
  expect(suggested.targets.at(-1)).toMatchObject({ version: "1.1.0", failed: 1, left: 1 });
});

test("without automatic_recovery what is not well stays in force, and exits 1", async () => {
  const agent = await agentOfThree(recovery("automatic_recovery: false"));
  expect(await refused(agent, "rollback", "1.1.0")).toMatchObject({ code: "E127", exit: 1 });
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

test("the fallback strategies are tried in the order that kai.yaml has", async () => {
  const agent = await agentOfThree(recovery("fallback_strategies: [last_known_good, emergency_snapshot]"));
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  agent.events();
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127", exit: 1 });
  expect(error.message).toContain("1.0.0 is in force instead (last_known_good)");
  expect(agent.events()).toContain("started 1.0.0");
});

test("where no strategy holds it says so, and exits 4", async () => {
  const agent = await agentOfThree(recovery("fallback_strategies: [emergency_snapshot]"));
  await agent.version("1.3.0", {
    "kai.yaml": kaiYaml(`${START}\n${SICK}`, recovery("fallback_strategies: [emergency_snapshot]")),
  });
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127", exit: 4 });
  expect(error.hint).toContain("emergency_snapshot: ");
});

test("recovery_timeout bounds what is tried", async () => {
  const agent = await agentOfThree(recovery("recovery_timeout: 1ms"));
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127" });
  expect(error.message).toContain("1.1.0 stays in force");
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

const TESTS = (run: string) =>
  `snapshot_isolation: {tests: [{name: answers, kind: functionality, run: '${run}', timeout: 40s}]}\n`;

test("a functionality test that fails is a rollback that did not hold", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", {
    "kai.yaml": kaiYaml(HEALTH, TESTS("echo wrong; exit 1")).replace(HEALTH, "trigger: {}"),
  });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}") });
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.message).toContain("the functionality test answers: ");
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

test.each([
  ["well", "true", { exit: 0, problem: "The outcome could not be logged" }],
  ["not well", "false", { exit: 4, problem: "emergency_snapshot: " }],
])(
  "where the disk fails behind the commit point, of what is %s that is told, and not that nothing happened",
  async (_, ends, told) => {
    const agent = await liveAgent();
    const breaks = `rmdir .git/kai/journal && touch .git/kai/journal; ${ends}`;
    const more = TESTS(breaks) + recovery("fallback_strategies: [emergency_snapshot]");
    await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}", more) });
    await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}", more) });
    const ran = await agent.kai("rollback", "1.0.0");
    expect([ran.exit, ran.stdout + ran.stderr]).toEqual([told.exit, expect.stringContaining(told.problem)]);
    expect(`${ran}`).not.toContain("Nothing was half-written");
    expect(agent.git("log", "-1", "--format=%s", "refs/kai/log")).toBe("rollback v1.1.0 -> v1.0.0");
  },
);

test("a test that goes on after the step's time is ended, and nothing of it runs behind the rollback", async () => {
  const agent = await liveAgent();
  const policy =
    "rollback_system: {recovery: {automatic_recovery: false}, policies: [{name: p, steps: [{type: validate_rollback, timeout: 300ms, critical: true}]}]}\n";
  await agent.version("1.0.0", {
    "kai.yaml": kaiYaml("trigger: {}", `${policy}${TESTS("sleep 30; echo late >> ../events")}`),
  });
  await agent.version("1.1.0");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({ code: "E127" });
  expect(error.message).toContain("validate_rollback took longer than 0.3 s");
  expect(agent.events()).toEqual([]);
});

test("an emergency does not test, and what cannot be started holds nothing up", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("start: {run: exit 5}", TESTS("exit 1")) });
  await agent.version("1.1.0");
  const back = await told(agent, "rollback", "1.0.0", "--type", "emergency");
  expect(back).toMatchObject({ version: "1.0.0", ok: true });
  expect(back.steps.find(({ type }: { type: string }) => type === "start_agent")).toMatchObject({ status: "failed" });
});

test("a health command that hangs is ended by its time-out", async () => {
  const agent = await liveAgent();
  const health = "health: {run: sleep 60, timeout: 100ms, retries: 1}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(health, recovery("automatic_recovery: false")) });
  await agent.version("1.1.0");
  const before = observe(agent);
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.message).toContain("its health was asked for 2 times");
  expect(observe(agent)).not.toEqual(before);
});
