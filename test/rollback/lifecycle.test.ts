import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { leftovers, observeButLog } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, liveAgent, START } from "./live-agent.js";

const STOP = `stop: {run: 'echo "asked $KAI_FROM $KAI_TO" >> ../events; pkill -TERM -P 1 -f nobody; true', timeout: 1s}`;
const statuses = (steps: readonly { type: string; status: string }[]) =>
  Object.fromEntries(steps.map(({ type, status }) => [type, status]));

test("the agent is stopped by the version left, started by the target, and asked whether it is well", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${STOP}\n${START}\n${HEALTH}`) });
  await agent.version("1.1.0");
  const back = await told(agent, "rollback", "1.0.0");
  expect(agent.events()).toEqual(["asked 1.1.0 1.0.0", "started 1.0.0"]);
  expect(await agent.running()).toBeGreaterThan(0);
  expect(statuses(back.steps)).toEqual({
    validate_target: "done",
    stop_agent: "done",
    backup_current: "done",
    restore_code: "done",
    restore_config: "skipped",
    restore_data: "done",
    start_agent: "done",
    validate_rollback: "done",
    cleanup: "done",
  });
  const undone = await told(agent, "undo");
  expect(undone).toMatchObject({ from: "1.0.0", to: "1.1.0", ok: true });
  expect(agent.events()).toEqual(["asked 1.0.0 1.1.0", "ended 1.0.0", "started 1.1.0"]);
  expect(leftovers(agent)).toEqual([]);
});

test.each([
  ["fails because nothing runs", "stop: {run: echo none is there; exit 3}", "It ended with status 3"],
  ["hangs", "stop: {run: sleep 60, timeout: 200ms}", "It was not done after 0.2 s"],
])("a stop command that %s holds nothing up where nothing of the agent runs afterwards", async (_, stop, why) => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${stop}\n${START}\n${HEALTH}`) });
  await agent.version("1.1.0");
  const stopped = {
    status: "done",
    error: null,
    remarks: [expect.stringContaining(`although nothing that was started runs any more. ${why}`)],
  };
  // It was never started, it runs, it has crashed.
  for (const [args, number] of [
    [["rollback", "1.0.0"], "1.0.0"],
    [["undo"], "1.1.0"],
  ] as const) {
    const { steps, ok } = await told(agent, ...args);
    expect(steps.find(({ type }: { type: string }) => type === "stop_agent")).toMatchObject(stopped);
    expect([ok, agent.events().at(-1)]).toEqual([true, `started ${number}`]);
  }
  await agent.crash();
  expect((await told(agent, "undo")).steps).toContainEqual(expect.objectContaining(stopped));
  expect(await agent.running()).toBeGreaterThan(0);
});

test("an agent that others started may run on where its stop command fails: only --force and an emergency go on", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`stop: {run: exit 3}\n${START}`) });
  await agent.version("1.1.0");
  const id = agent.startByHand();
  const { files } = observeButLog(agent);
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({ code: "E126", exit: 1, hint: expect.stringContaining("rollback VERSION --force`") });
  expect(error.message).toContain(`in its folder works node (process ${id})`);
  expect(observeButLog(agent).files).toEqual(files);
  // It gets no second one beside it.
  expect(agent.events()).toEqual([]);
  expect(error.hint).toMatch(/^It was not started again, because it runs on, or may: in its folder works node/);
  expect(await agent.running()).toBe(0);
  const forced = await told(agent, "rollback", "1.0.0", "--force");
  expect(forced.steps).toContainEqual(
    expect.objectContaining({ type: "stop_agent", status: "done", remarks: [expect.stringContaining(`${id}`)] }),
  );
  await agent.crash();
  await told(agent, "rollback", "1.1.0", "--type", "emergency", "--policy", "built-in", "--force");
});

test.each([
  ["a stop command that ends with 0 and stopped nothing", "stop: {run: 'false || true'}", "The command ended with 0"],
  ["no stop command", "", "Without lifecycle.stop nothing of it was ended"],
])(
  "with %s an agent that others started runs on: nothing is changed, and it gets no second one beside it",
  async (_, stop, why) => {
    const agent = await liveAgent();
    await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${stop}\n${START}`) });
    await agent.version("1.1.0");
    const id = agent.startByHand();
    const { files } = observeButLog(agent);
    const error = await refused(agent, "rollback", "1.0.0");
    expect(error).toMatchObject({ code: "E126", exit: 1, hint: expect.stringContaining("rollback VERSION --force`") });
    const saw = `${why}, and it may run, started by others than us: in its folder works node (process ${id})`;
    expect(error.message).toContain(saw);
    expect([observeButLog(agent).files, agent.events(), await agent.running()]).toEqual([files, [], 0]);
    const forced = await told(agent, "rollback", "1.0.0", "--force");
    expect(forced.steps).toContainEqual(
      expect.objectContaining({ type: "stop_agent", status: "done", remarks: [expect.stringContaining(saw)] }),
    );
    await agent.crash();
    expect((await told(agent, "rollback", "1.1.0", "--type", "emergency", "--force")).ok).toBe(true);
  },
);

test("where its health passes behind a stop command that ends with 0, the agent runs on, wherever it works", async () => {
  const agent = await liveAgent();
  const lifecycle = `stop: {run: 'true'}\n${START}\nhealth: {run: test -e ../up, retries: 0}`;
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(lifecycle) });
  await agent.version("1.1.0");
  agent.write("../up", "");
  expect((await refused(agent, "rollback", "1.0.0")).message).toContain(
    "started by others than us: its health passes.",
  );
  expect([agent.events(), await agent.running()]).toEqual([[], 0]);
});

test("an agent that others started, and that takes a moment to end, was stopped; who only looks on is none", async () => {
  const agent = await liveAgent();
  const stop = `stop: {run: "(sleep 0.7; kill -9 $(cat ../id)) > ../stopping 2>&1 & true"}`;
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${stop}\n${START}`) });
  await agent.version("1.1.0");
  const reader = spawn("sh", ["-c", "exec tail -f logic.py"], { cwd: agent.dir, stdio: "ignore" });
  onTestFinished(() => void reader.kill("SIGKILL"));
  agent.write("../id", `${agent.startByHand()}`);
  const { steps } = await told(agent, "rollback", "1.0.0");
  expect(steps).toContainEqual(expect.objectContaining({ type: "stop_agent", status: "done", remarks: [] }));
  expect(agent.events()).toEqual(["started 1.0.0"]);
});

test("where its stop command fails and its health passes all the same, the agent runs", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("stop: {run: exit 3}\nhealth: {run: 'true'}") });
  await agent.version("1.1.0");
  expect((await refused(agent, "rollback", "1.0.0")).message).toContain(
    "It ended with status 3. It may run, started by others than us: its health passes.",
  );
});

test("rollback_timeout ends a command that would take longer, and the agent is started again", async () => {
  const agent = await liveAgent();
  const more = "rollback_system: {rollback_timeout: 2s}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`stop: {run: sleep 60, timeout: 50s}\n${START}`, more) });
  await agent.version("1.1.0");
  const before = observeButLog(agent);
  expect((await refused(agent, "rollback", "1.0.0")).code).toMatch(/E12[46]/);
  expect(observeButLog(agent)).toEqual(before);
  expect(agent.events()).toEqual(["started 1.1.0"]);
});

test("an agent that cannot be started again is told of", async () => {
  const agent = await liveAgent();
  const lifecycle = "start: {run: exit 4}\nmigrate: {run: exit 3}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(lifecycle) });
  await agent.version("1.1.0");
  const error = await refused(agent, "rollback", "1.0.0", "--keep-state");
  expect(error).toMatchObject({ code: "E126" });
  expect(error.hint).toMatch(/^The agent was stopped and does not run again: /);
});

test("without start_agent in the policy a failure still starts the agent again, and success says that it stays stopped", async () => {
  const agent = await liveAgent();
  const policy = (stop: string) =>
    kaiYaml(`${stop}\n${START}`, "rollback_system: {policies: [{name: p, steps: [{type: stop_agent}]}]}");
  const moves =
    "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; git update-ref refs/heads/main $(git commit-tree -m mine -p HEAD HEAD^{tree})";
  await agent.version("1.0.0", { "kai.yaml": policy(`stop: {run: '${moves}'}`) });
  await agent.version("1.1.0", { "kai.yaml": policy("stop: {run: 'true', timeout: 100ms}") });
  const back = await told(agent, "rollback", "1.0.0");
  expect(back.plan.risks.map(({ kind }: { kind: string }) => kind)).toContain("left_stopped");
  expect(agent.events()).toEqual([]);
  expect((await refused(agent, "undo")).code).toMatch(/^E11[36]$/);
  expect(agent.events()).toEqual(["started 1.0.0"]);
});

test("a target that has no lifecycle.start leaves the agent stopped, and the plan says so", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(START) });
  const plan = await told(agent, "rollback", "0.9.0", "--dry-run");
  expect(plan.plan.risks).toContainEqual(expect.objectContaining({ kind: "left_stopped", severity: "high" }));
});

test("an emergency kills what was started; where nothing was, the stop command is run", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`stop: {run: echo asked >> ../events}\n${START}\n${HEALTH}`) });
  await agent.version("1.1.0");
  expect((await told(agent, "rollback", "1.0.0", "--type", "emergency")).ok).toBe(true);
  expect(agent.events()).toEqual(["asked", "started 1.0.0"]);
  // It is not asked to end, but by SIGTERM.
  await told(agent, "rollback", "1.1.0", "--type", "emergency", "--force");
  expect(agent.events()).not.toContain("asked");
});

test("an agent that ignores SIGTERM is ended all the same", async () => {
  const agent = await liveAgent();
  const stubborn = "#!/bin/sh\ntrap '' TERM\necho started $KAI_VERSION >> ../events\nwhile :; do sleep 0.02; done\n";
  const lifecycle = `${START}\n${HEALTH}`;
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(lifecycle), "run.sh": stubborn });
  await agent.version("1.1.0", { "run.sh": stubborn });
  await told(agent, "rollback", "1.0.0");
  expect(agent.events()).toEqual(["started 1.0.0"]);
  await told(agent, "rollback", "1.1.0", "--force", "--type", "emergency");
  expect(agent.events()).toEqual(["started 1.1.0"]);
});

test("a stop command and an agent that both ignore SIGTERM take longer than the command's time, and no longer than the plan says", async () => {
  const agent = await liveAgent();
  const stop = `stop: {run: "trap '' TERM; while :; do sleep 0.02; done", timeout: 200ms}`;
  const stubborn = "#!/bin/sh\ntrap '' TERM\necho started $KAI_VERSION >> ../events\nwhile :; do sleep 0.02; done\n";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${stop}\n${START}\n${HEALTH}`), "run.sh": stubborn });
  await agent.version("1.1.0", { "run.sh": stubborn });
  await told(agent, "rollback", "1.0.0");
  const { plan, steps } = await told(agent, "undo");
  const of = (list: readonly { type: string }[]) => list.find(({ type }) => type === "stop_agent");
  const { timeoutMs, longestMs } = of(plan.steps) as unknown as { timeoutMs: number; longestMs: number };
  const { durationMs } = of(steps) as unknown as { durationMs: number };
  expect([timeoutMs, durationMs > 8000, durationMs <= longestMs]).toEqual([200, true, true]);
  const { stdout } = await agent.kai("rollback", "1.0.0", "--force", "--dry-run");
  expect(stdout).toMatch(/^stop_agent .* 20\.2 s /m);
});

test("a command that prints a hundred megabytes is kept in its last lines", async () => {
  const agent = await liveAgent();
  const stop = "stop: {run: head -c 100000000 /dev/zero | tr '\\\\000' x; echo the end}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(stop) });
  await agent.version("1.1.0");
  const { steps } = await told(agent, "rollback", "1.0.0");
  const { output } = steps.find(({ type }: { type: string }) => type === "stop_agent");
  expect([output.length < 70_000, output.endsWith("the end\n")]).toEqual([true, true]);
});

test("what a critical step takes back is compensated, what a non-critical one fails at is told", async () => {
  const agent = await liveAgent();
  const policy = (critical: boolean) =>
    `rollback_system: {policies: [{name: p, steps: [{type: stop_agent, critical: ${critical}}, {type: start_agent}, {type: backup_current}, {type: restore_data}]}]}`;
  const yaml = (critical: boolean) => kaiYaml(`stop: {run: exit 7}\n${START}`, policy(critical));
  await agent.version("1.0.0", { "kai.yaml": yaml(true) });
  await agent.version("1.1.0", { "kai.yaml": yaml(false) });
  agent.startByHand();
  const back = await told(agent, "rollback", "1.0.0");
  expect(statuses(back.steps)).toMatchObject({ stop_agent: "failed", start_agent: "done", restore_code: "done" });
  expect(back.ok).toBe(true);
  await agent.crash();
  expect(await refused(agent, "undo")).toMatchObject({ code: "E126" });
  const [entry] = (await told(agent, "log", "--limit", "1")).operations;
  expect(entry.kind).toBe("outcome");
});

test("a version with the same files starts the agent anew, also one that does not run, under its own number", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`).replace("state.json, ", "") });
  await told(agent, "create", "--as", "1.1.0", "--allow-unchanged");
  const back = await told(agent, "rollback", "1.0.0");
  expect(statuses(back.steps)).toMatchObject({
    start_agent: "done",
    validate_rollback: "done",
    restore_code: "skipped",
  });
  expect(agent.events()).toEqual(["started 1.0.0"]);
  await told(agent, "rollback", "1.1.0", "--force");
  expect(agent.events()).toEqual(["ended 1.0.0", "started 1.1.0"]);
});
