import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { entryAt, leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const SICK = "health: {run: exit 9, timeout: 5s, retries: 0}";
/** Once the agent has said that it started, so that it also says that it ended. */
const SICKENS = `health: {run: 'until grep -q "started $KAI_VERSION" ../events; do sleep 0.02; done; exit 9', timeout: 20s, retries: 0}`;
const recovery = (text: string) => `rollback_system: {recovery: {${text}}}`;

/** 1.0.0 was well, 1.1.0 is not, and 1.2.0 is in force. */
async function agentOfThree(more = ""): Promise<LiveAgent> {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`, more) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${SICKENS}`, more) });
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

test("where --force replaced files, and the rollback did not hold, it is said where these are", async () => {
  const agent = await agentOfThree();
  agent.write("logic.py", "my own work\n");
  const { hint, rollback } = (await agent.kai("rollback", "1.1.0", "--force", "--json")).json().error;
  expect(hint).toContain(`\`git checkout ${rollback.backup} -- PATH\` brings it back`);
  expect(agent.git("show", `${rollback.backup}:logic.py`)).toBe("my own work");
});

test("where a way out holds, it is said of which version no agent was left running", async () => {
  const agent = await agentOfThree();
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  const { message } = await refused(agent, "rollback", "1.1.0");
  expect(message).toMatch(
    / No agent of 1\.1\.0 was left running\. 1\.2\.0 is in force instead \(emergency_snapshot\)\.$/,
  );
  expect(await agent.running()).toBeGreaterThan(0);
});

test("without automatic_recovery what is not well stays in force, and exits 1", async () => {
  const agent = await agentOfThree(recovery("automatic_recovery: false"));
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127", exit: 1 });
  expect(error.hint).toContain("last_known_good was not tried: automatic_recovery is false. ");
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

test("last_known_good takes no archived version, however well that was", async () => {
  const agent = await agentOfThree(recovery("fallback_strategies: [last_known_good, emergency_snapshot]"));
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  for (const version of ["0.9.0", "1.0.0"]) await told(agent, "archive", version);
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error.message).toContain("1.2.0 is in force instead (emergency_snapshot)");
});

test("where no strategy holds it says so, and exits 4", async () => {
  const agent = await agentOfThree(recovery("fallback_strategies: [emergency_snapshot]"));
  await agent.version("1.3.0", {
    "kai.yaml": kaiYaml(`${START}\n${SICK}`, recovery("fallback_strategies: [emergency_snapshot]")),
  });
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127", exit: 4 });
  expect(error.hint).toContain("emergency_snapshot: ");
  // It came into force, and is not well either.
  expect(error.message).toMatch(/ 1\.3\.0 is in force now\.$/);
  expect(await told(agent, "current")).toMatchObject({ version: "1.3.0" });
});

test("a way out that leads nowhere is named with why", async () => {
  const agent = await liveAgent([]);
  const ill = kaiYaml("health: {run: exit 9, retries: 0}", recovery("fallback_strategies: [last_known_good]"));
  for (const version of ["1.0.0", "1.1.0"]) await agent.version(version, { "kai.yaml": ill });
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  const why = "no other version was in force and never found ill";
  expect(ran.exit).toBe(4);
  expect(ran.json().error).toMatchObject({
    message: expect.stringMatching(/ 1\.0\.0 stays in force\.$/),
    hint: expect.stringContaining(`last_known_good was not tried: ${why}. `),
    fallbacks: [],
    untried: [{ strategy: "last_known_good", why }],
    recovered: null,
    inForce: "1.0.0",
  });
});

test("a way out that fails before its commit point moves nothing, and the log tells of it", async () => {
  const agent = await liveAgent();
  const only = recovery("fallback_strategies: [emergency_snapshot]");
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(SICK, only), "deps.lock": "one\n" });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("install: {run: exit 3}", only), "deps.lock": "two\n" });
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  expect(ran.exit).toBe(4);
  expect(ran.json().error).toMatchObject({
    message: expect.stringMatching(/ 1\.0\.0 stays in force\.$/),
    fallbacks: [{ strategy: "emergency_snapshot", operation: null, ok: false }],
    inForce: "1.0.0",
  });
  expect(entryAt(agent, "refs/kai/log").details).toMatchObject({ happened: false, step: "restore_dependencies" });
});

test("a way out leaves live state alone that the rollback did not touch", async () => {
  const agent = await liveAgent();
  const files = "rollback_system: {policies: [{name: files, steps: [{type: start_agent}, {type: validate_rollback}]}]}";
  const converts = "migrate: {run: echo converted > state.json}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${SICK}\n${converts}`) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`, files) });
  agent.write("state.json", "live\n");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.message).toContain("1.1.0 is in force instead (emergency_snapshot)");
  expect(agent.read("state.json")).toBe("live\n");
});

test("the state of before the rollback comes back, also where a way out replaced it that did not hold either", async () => {
  const agent = await liveAgent([]);
  const both = recovery("fallback_strategies: [last_known_good, emergency_snapshot]");
  const yaml = (health: string) => kaiYaml(`${START}\n${health}`, both);
  const version = (number: string, health: string) => agent.version(number, { "kai.yaml": yaml(health) });
  await version("1.0.0", "health: {run: test ! -e ../ill, retries: 0}");
  await version("1.1.0", SICK);
  await version("1.2.0", HEALTH);
  // Well once, and never again.
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  agent.write("../ill", "");
  agent.write("state.json", "live\n");
  const ran = await agent.kai("rollback", "1.1.0", "--keep-state", "--json");
  expect(ran.json().error).toMatchObject({
    fallbacks: [{ strategy: "last_known_good", to: "1.0.0", ok: false }, { strategy: "emergency_snapshot" }],
    recovered: { to: "1.2.0" },
    inForce: "1.2.0",
  });
  expect(agent.read("state.json")).toBe("live\n");
});

test("recovery_timeout bounds what is tried", async () => {
  const agent = await agentOfThree(recovery("recovery_timeout: 1ms"));
  const error = await refused(agent, "rollback", "1.1.0");
  expect(error).toMatchObject({ code: "E127" });
  expect(error.message).toContain("1.1.0 stays in force");
  expect(error.exit).toBe(4);
  expect(error.hint).toContain("emergency_snapshot was not tried: recovery_timeout is over (0.001 s). ");
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

test("recovery_timeout bounds the start of a way out that has begun", async () => {
  const agent = await liveAgent();
  const more = recovery("recovery_timeout: 4s, fallback_strategies: [emergency_snapshot]");
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${SICK}`, more) });
  await agent.version("1.1.0", {
    "kai.yaml": kaiYaml(`${START}\nhealth: {run: exit 7, timeout: 5s, retries: 1000}`, more),
  });
  const began = performance.now();
  const error = await refused(agent, "rollback", "1.0.0");
  expect(performance.now() - began).toBeLessThan(19_000);
  expect(error).toMatchObject({ code: "E127", exit: 4 });
  expect(error.hint).toMatch(
    /^emergency_snapshot: start_agent failed: .* recovery_timeout (?:is over|left it no more than [\d.]+ s)\. /,
  );
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

test("a test that fails after an undo is said in one sentence", async () => {
  const agent = await liveAgent();
  const fails = TESTS("test ! -e ../bad");
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}"), "logic.py": "# one\n" });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}", fails), "logic.py": "# two\n" });
  await told(agent, "rollback", "1.0.0");
  writeFileSync(path.join(agent.dir, "../bad"), "");
  const { message } = await refused(agent, "undo");
  expect(message).toMatch(/ but the functionality test answers: Exit status 1, expected 0\.$/);
});

test.each([
  [
    "well",
    "true",
    { exit: 0, problem: "The outcome could not be logged", logged: "outcome of rollback 1.1.0 -> 1.0.0: well" },
  ],
  [
    "not well",
    "false",
    { exit: 4, problem: "emergency_snapshot: ", logged: "outcome of rollback 1.0.0 -> 1.1.0: failed" },
  ],
])(
  "where the disk fails behind the commit point, of what is %s that is told, and not that nothing happened",
  async (_, ends, expected) => {
    const agent = await liveAgent();
    const breaks = `test -e ../broken || { rmdir .git/kai/journal && touch .git/kai/journal ../broken; }; ${ends}`;
    const more = TESTS(breaks) + recovery("fallback_strategies: [emergency_snapshot]");
    await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}", more) });
    await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}", more) });
    const ran = await agent.kai("rollback", "1.0.0");
    expect([ran.exit, ran.stdout + ran.stderr]).toEqual([expected.exit, expect.stringContaining(expected.problem)]);
    expect(`${ran}`).not.toContain("Nothing was half-written");
    const logged = () => agent.git("log", "-1", "--format=%s", "refs/kai/log");
    expect(logged()).toBe("rollback v1.1.0 -> v1.0.0");
    // When the disk is well again it is found out once more, and only once.
    rmSync(path.join(agent.dir, ".git/kai/journal"));
    await agent.kai("recover");
    expect(logged()).toBe(expected.logged);
    expect(await told(agent, "recover")).toMatchObject({ judged: null });
    expect(logged()).toBe(expected.logged);
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

test("where a way out is given up before it happens, none is started of the version that was ended because it was ill", async () => {
  const agent = await agentOfThree(recovery("fallback_strategies: [emergency_snapshot]"));
  const ill = `stop: {run: sleep 5}\nstart: {run: exec ./run.sh, timeout: 2s}\n${SICKENS}`;
  await agent.version("1.3.0", {
    "kai.yaml": kaiYaml(ill, recovery("fallback_strategies: [emergency_snapshot], recovery_timeout: 1ms")),
  });
  await agent.version("1.4.0", {
    "kai.yaml": kaiYaml(
      `${START}\n${HEALTH}`,
      recovery("fallback_strategies: [emergency_snapshot], recovery_timeout: 1s"),
    ),
  });
  const error = await refused(agent, "rollback", "1.3.0");
  expect(error.message).toContain("No agent of 1.3.0 was left running.");
  expect(await agent.running()).toBe(0);
});
