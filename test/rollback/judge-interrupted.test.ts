import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { listProcesses } from "../../src/system/live-processes.js";
import { entryAt, leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const SICK = "health: {run: exit 9, timeout: 5s, retries: 0}";

/** Waits to be killed the first time, and then is as `verdict` says. */
const hanging = (verdict: string) =>
  `health: {run: 'test -e ../killed || { test -e ../go && touch ../asked && sleep 60; }; ${verdict}', timeout: 90s, retries: 0}`;

/** 1.0.0 is asked for its health while it is killed; 1.1.0 is in force before. */
async function killedWhileAsked(verdict: string, more = "", lifecycle = START): Promise<LiveAgent> {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${lifecycle}\n${hanging(verdict)}`, more) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(lifecycle, more) });
  await killed(agent, "rollback", "1.0.0");
  return agent;
}

/** Kills it once something touches `../asked`, which may hang only where `../go` is. */
async function killed(agent: LiveAgent, ...args: string[]): Promise<void> {
  agent.write("../go", "");
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  const over = once(child, "exit");
  while (!existsSync(path.join(agent.dir, "../asked"))) await pause(20);
  child.kill("SIGKILL");
  await over;
  agent.write("../killed", "");
}

const outcomes = async (agent: LiveAgent) =>
  (await told(agent, "log", "--kind", "outcome")).operations.map(({ subject }: { subject: string }) => subject);

const recovery = (text: string) => `rollback_system: {recovery: {${text}}}`;

test.each([
  ["while it starts", START],
  ["while it is validated, when nothing is left to be recovered", ""],
])("a rollback that was killed %s is judged by recover as it would have been: well, once", async (_, lifecycle) => {
  const agent = await killedWhileAsked("true", "", lifecycle === "" ? "trigger: {}" : lifecycle);
  const { judged } = await told(agent, "recover");
  expect(judged).toMatchObject({ kind: "rollback", version: "1.0.0", well: true, problem: null });
  expect(await outcomes(agent)).toEqual(["outcome of rollback 1.1.0 -> 1.0.0: well"]);
  expect(entryAt(agent, "refs/kai/log").details).toMatchObject({ of: judged.operation, ok: true });
  const { refs } = observe(agent);
  expect(await told(agent, "recover")).toMatchObject({ recovered: [], judged: null });
  expect(observe(agent).refs).toEqual(refs);
  expect(leftovers(agent)).toEqual([]);
});

test("where it is ill recover falls back as the rollback would have, and says what is in force", async () => {
  const agent = await killedWhileAsked("exit 9");
  const ran = await agent.kai("recover", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().error).toMatchObject({
    code: "E127",
    message: expect.stringMatching(
      /^The rollback to 1\.0\.0 that was interrupted did not hold: .*1\.1\.0 is in force instead/,
    ),
    judged: { kind: "rollback", version: "1.0.0", well: false },
    interrupted: [{ kind: "rollback", outcome: "completed", agent: { ok: false } }],
    recovered: { strategy: "emergency_snapshot", to: "1.1.0" },
  });
  expect((await outcomes(agent)).at(-1)).toBe("outcome of rollback 1.1.0 -> 1.0.0: failed");
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

test("where no way out may be taken, each is named, and exit is 4", async () => {
  const agent = await killedWhileAsked("exit 9", recovery("automatic_recovery: false"));
  const error = await refused(agent, "recover");
  expect(error).toMatchObject({ code: "E127", exit: 4 });
  expect(error.message).toContain("1.0.0 stays in force");
  expect(error.hint).toContain("emergency_snapshot was not tried: automatic_recovery is false");
});

test("killed before its first way out was taken, that is taken by recover, and nothing is judged twice", async () => {
  const agent = await liveAgent();
  const hangs = "stop: {run: 'test -e ../killed || { touch ../asked && sleep 60; }; exit 1', timeout: 90s}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${SICK}\n${hangs}`) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`) });
  agent.write("state.json", '{"seen": "live"}\n');
  await killed(agent, "rollback", "1.0.0");
  expect(await outcomes(agent)).toEqual(["outcome of rollback 1.1.0 -> 1.0.0: failed"]);
  const ran = await agent.kai("recover", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().error).toMatchObject({
    code: "E127",
    message: expect.stringMatching(/^The rollback to 1\.0\.0 that was interrupted did not hold: .*1\.1\.0 is in force/),
    judged: { kind: "rollback", version: "1.0.0", well: false, steps: expect.arrayContaining([expect.anything()]) },
    fallbacks: [{ strategy: "emergency_snapshot", to: "1.1.0", ok: true }],
  });
  expect((await outcomes(agent)).filter((subject: string) => subject.endsWith(" -> 1.0.0: failed"))).toHaveLength(1);
  expect(agent.read("state.json")).toBe('{"seen": "live"}\n');
  expect(await told(agent, "recover")).toMatchObject({ recovered: [], judged: null });
  expect(leftovers(agent)).toEqual([]);
});

test("killed while a way out is asked: that is judged, and where it is ill the next is taken, no earlier one again", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${SICK}`) });
  const hangs =
    "test -e ../events || exit 9; grep -q 'started 1.1.0' ../events || exit 0; test -e ../killed || { touch ../asked && sleep 60; }; exit 8";
  await agent.version("1.2.0", {
    "kai.yaml": kaiYaml(`${START}\nhealth: {run: "${hangs}", timeout: 90s, retries: 0}`),
  });
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  await killed(agent, "rollback", "1.1.0");
  const ran = await agent.kai("recover", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().error).toMatchObject({
    message: expect.stringMatching(/^The rollback to 1\.1\.0 that was interrupted did not hold: .*1\.0\.0 is in force/),
    judged: { version: "1.2.0", well: false },
    fallbacks: [
      { strategy: "emergency_snapshot", to: "1.2.0", ok: false, error: expect.stringContaining("8") },
      { strategy: "last_known_good", to: "1.0.0", ok: true },
    ],
  });
  expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
});

test("an undo that was killed is judged, and does not fall back", async () => {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(START) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(`${START}\n${hanging("exit 9")}`) });
  await told(agent, "rollback", "1.0.0");
  await killed(agent, "undo");
  const { stderr } = await agent.kai("create", "--as", "1.2.0", "--allow-unchanged", "--no-current");
  expect(stderr).toContain("It was not checked as the undo would have: ");
  const error = await refused(agent, "recover");
  expect(error).toMatchObject({ code: "E127", exit: 4 });
  expect(error.message).toMatch(/^The undo to 1\.1\.0 that was interrupted did not hold: .*1\.1\.0 stays in force\.$/);
  expect(error.hint).toContain("last_known_good was not tried: undo never falls back by itself");
});

/** Its health is that its process runs; its test waits to be killed the first time, and writes down that it ran the second. */
const RUNS = `${START}\nhealth: {run: 'tail -n 1 ../events | grep -q "started $KAI_VERSION"', timeout: 5s, retries: 20}`;
const SLOW = `snapshot_isolation: {tests: [{name: slow, kind: functionality, timeout: 90s, run: "test -e ../killed || { test -e ../go && touch ../asked && sleep 60; }; test ! -e ../bad"}]}\n`;

/** Kills it while it is tested, and its agent with it. */
async function powerCut(agent: LiveAgent, ...args: string[]): Promise<void> {
  await killed(agent, ...args);
  await agent.crash();
}

test("an agent that died with the rollback, when it had been started, is started again before it is asked: well, once", async () => {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(RUNS, SLOW) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(RUNS) });
  await powerCut(agent, "rollback", "1.0.0");
  const { judged } = await told(agent, "recover");
  expect(judged).toMatchObject({
    version: "1.0.0",
    well: true,
    steps: [
      { type: "start_agent", status: "done" },
      { type: "validate_rollback", status: "done" },
    ],
  });
  expect(await outcomes(agent)).toEqual(["outcome of rollback 1.1.0 -> 1.0.0: well"]);
  expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
  expect(agent.events()).toEqual(["started 1.0.0"]);
  expect(await agent.running()).toBeGreaterThan(0);
});

test("a test that it waited for when it was killed is ended before another is run", async () => {
  const agent = await liveAgent([]);
  const slow = SLOW.replace("touch ../asked", () => "echo $$ > ../tester && touch ../asked");
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(RUNS, slow) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(RUNS) });
  await killed(agent, "rollback", "1.0.0");
  const runs = async () => (await listProcesses())?.some(({ id }) => id === Number(agent.read("../tester")));
  expect(await runs()).toBe(true);
  expect((await told(agent, "recover")).judged).toMatchObject({ version: "1.0.0", well: true });
  expect(await runs()).toBe(false);
});

test("one that runs on is asked and not started a second time", async () => {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(RUNS, SLOW) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(RUNS) });
  await killed(agent, "rollback", "1.0.0");
  const { judged } = await told(agent, "recover");
  expect(judged).toMatchObject({ well: true, steps: [{ type: "validate_rollback", status: "done" }] });
  expect(agent.events()).toEqual(["started 1.0.0"]);
});

test("one that nobody marked and that is well is not started beside itself", async () => {
  const agent = await liveAgent([]);
  // As a service manager would: it runs elsewhere, and to start it twice is an error.
  const elsewhere =
    'start: {run: "echo started >> ../events && echo $$ > ../pid && mkdir ../up && exec env -u KAI_AGENT sleep 100"}\nhealth: {run: test -d ../up, timeout: 5s, retries: 9}';
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(elsewhere, SLOW) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(RUNS) });
  await killed(agent, "rollback", "1.0.0");
  const runs = Number(agent.read("../pid"));
  onTestFinished(() => void process.kill(runs, "SIGKILL"));
  expect(await agent.running()).toBe(0);
  expect((await told(agent, "recover")).judged).toMatchObject({ version: "1.0.0", well: true });
  expect(agent.events()).toEqual(["started"]);
});

test.each([
  [
    "an undo",
    async (agent: LiveAgent) => {
      await told(agent, "rollback", "1.0.0");
      agent.events();
      await powerCut(agent, "undo");
    },
  ],
  [
    "a way out",
    async (agent: LiveAgent) => {
      agent.write("../ill", "");
      await powerCut(agent, "rollback", "1.0.0");
    },
  ],
])("the agent of %s that died with it is started before it is asked", async (_, cut) => {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\nhealth: {run: test ! -e ../ill, retries: 0}`) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(RUNS, SLOW) });
  await cut(agent);
  expect((await told(agent, "recover")).judged).toMatchObject({ version: "1.1.0", well: true });
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  expect(agent.events()).toEqual(["started 1.1.0"]);
});

test("where its policy does not start the agent, recover does not either", async () => {
  const agent = await liveAgent([]);
  const tests = "rollback_system: {policies: [{name: tests, steps: [{type: validate_rollback}]}]}\n";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(START, SLOW) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(START, tests) });
  await powerCut(agent, "rollback", "1.0.0");
  expect((await told(agent, "recover")).judged).toMatchObject({ well: true });
  expect(agent.events()).toEqual([]);
});

test("without a key it is asked all the same, and the missing outcome is told; with one it is logged", async () => {
  const agent = await killedWhileAsked("true");
  const keyless = { ...agent, env: { ...agent.env, KAI_HOME: path.join(agent.dir, "../nobody") } };
  const { judged } = await told(keyless, "recover");
  expect(judged).toMatchObject({ well: true, problem: expect.stringContaining("The outcome was not logged: ") });
  expect(await outcomes(agent)).toEqual([]);
  expect((await told(agent, "recover")).judged).toMatchObject({ well: true, problem: null });
  expect((await outcomes(agent)).length).toBe(1);
});

test("a command that recovers on its way says what it found, and who asks", async () => {
  const agent = await killedWhileAsked("exit 9");
  const ran = await agent.kai("create", "--as", "1.2.0", "--allow-unchanged");
  expect(ran.stderr).toContain("Finished an interrupted rollback");
  expect(ran.stderr).toContain("The agent that is to run could not be started");
  expect(ran.stderr).toContain(
    "It was not checked as the rollback would have: `git kai-version recover` does, while that is in force",
  );
  expect(await told(agent, "recover")).toMatchObject({ judged: null });
});

test("what its policy does not hold against it is logged as not well by recover, and no way out is taken", async () => {
  const lenient =
    "rollback_system: {policies: [{name: lenient, steps: [{type: start_agent}, {type: validate_rollback, critical: false}]}]}";
  const agent = await killedWhileAsked("exit 9", lenient, "trigger: {}");
  const { judged } = await told(agent, "recover");
  expect(judged).toMatchObject({ version: "1.0.0", well: false, ok: true });
  expect(await outcomes(agent)).toEqual(["outcome of rollback 1.1.0 -> 1.0.0: failed"]);
  expect(await told(agent, "recover")).toMatchObject({ judged: null });
  expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
});
