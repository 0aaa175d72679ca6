import { expect, test } from "vitest";
import { entryAt, leftovers, observe, observeButLog } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

/** Its way back from 1.1.0 with the live state fails once the agent is stopped. */
async function agentThatFails(): Promise<LiveAgent> {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\nmigrate: {run: echo no way; exit 3}`) });
  await agent.version("1.1.0");
  return agent;
}

test("a rollback that fails once it has acted leaves an outcome: nothing came into force, and which step failed", async () => {
  const agent = await agentThatFails();
  const before = observeButLog(agent);
  const error = await refused(agent, "rollback", "1.0.0", "--keep-state");
  expect(error).toMatchObject({ code: "E126", exit: 1 });
  const entry = entryAt(agent, "refs/kai/log");
  expect(entry).toMatchObject({
    kind: "outcome",
    changes: [],
    current: { before: { version: "1.1.0" }, after: { version: "1.1.0" } },
    details: {
      kind: "rollback",
      ok: false,
      happened: false,
      version: "1.0.0",
      step: "restore_data",
      error: error.message,
    },
  });
  const { of } = entry.details;
  expect(entryAt(agent, "refs/kai/log~1")).toMatchObject({ kind: "create" });
  const outcome = JSON.parse(agent.git("show", "refs/kai/log:outcome.json"));
  expect(outcome).toMatchObject({ operation: of, outcome: "failed", plan: { to: "1.0.0" } });
  expect(outcome.steps).toContainEqual(expect.objectContaining({ type: "restore_data", output: "no way\n" }));
  expect(agent.git("log", "-1", "--format=%s", "refs/kai/log")).toBe(
    "rollback 1.1.0 -> 1.0.0 did not happen: restore_data failed",
  );
  expect(observeButLog(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
  expect(await told(agent, "verify", "--all")).toMatchObject({ ok: true });
});

test("it counts as a rollback that failed, but not against the target where the version that is left could not convert its state", async () => {
  const agent = await agentThatFails();
  await refused(agent, "rollback", "1.0.0", "--keep-state");
  const { targets } = await told(agent, "rollback", "--suggest");
  const of = (version: string) => targets.find((each: { version: string }) => each.version === version);
  expect(of("1.0.0")).toMatchObject({ failed: 0 });
  expect(of("0.9.0")).toMatchObject({ failed: 0 });
  const { triggered, metrics } = await told(agent, "rollback", "--when", "rollback_success_rate > 0");
  expect([triggered, metrics]).toEqual([false, { rollback_success_rate: 0 }]);
});

test("undo passes it over, and undoing it is refused", async () => {
  const agent = await agentThatFails();
  await refused(agent, "rollback", "1.0.0", "--keep-state");
  const { id } = entryAt(agent, "refs/kai/log");
  expect(await refused(agent, "undo", id)).toMatchObject({ code: "E125" });
  expect(await told(agent, "undo")).toMatchObject({ undone: { kind: "create" }, from: "1.1.0", to: "1.0.0" });
});

test("what is refused before anything was done leaves none", async () => {
  const agent = await agentThatFails();
  const before = observe(agent).refs;
  expect(await refused(agent, "rollback", "1.1.0")).toMatchObject({ code: "E109" });
  agent.write("logic.py", "mine\n");
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E102" });
  agent.git("checkout", "--", "logic.py");
  const keyless = { ...agent, env: { ...agent.env, KAI_HOME: `${agent.dir}/../nobody` } };
  expect(await refused(keyless, "rollback", "1.0.0")).toMatchObject({ code: "E110" });
  expect(observe(agent).refs).toEqual(before);
});

const LENIENT =
  "rollback_system: {policies: [{name: lenient, steps: [{type: start_agent, critical: false}, {type: validate_rollback, critical: false}]}]}";

test.each([
  ["start_agent", "start: {run: exit 5}"],
  ["validate_rollback", "health: {run: test ! -e ../ill, retries: 0}"],
])(
  "what %s finds ill and its policy does not hold against it stays, and is not called well",
  async (step, lifecycle) => {
    const agent = await liveAgent([]);
    await agent.version("0.8.0", { "kai.yaml": kaiYaml("trigger: {}", LENIENT) });
    await agent.version("1.0.0", { "kai.yaml": kaiYaml(lifecycle, LENIENT) });
    await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}", LENIENT) });
    agent.write("../ill", "");
    const done = await agent.kai("rollback", "1.0.0");
    expect([done.exit, done.stdout]).toEqual([
      0,
      expect.stringMatching(/\n! It is not well: .*status [15].*, and the policy does not hold that against it\.\n/),
    ]);
    const entry = entryAt(agent, "refs/kai/log");
    expect(entry.kind).toBe("outcome");
    expect(entry.details).toMatchObject({ ok: false, step, critical: false });
    expect(await told(agent, "recover")).toMatchObject({ judged: null });
    expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
    await told(agent, "rollback", "0.8.0");
    const undone = await agent.kai("undo");
    expect([undone.exit, undone.stdout]).toEqual([0, expect.stringContaining("! It is not well: ")]);
    expect(entryAt(agent, "refs/kai/log").details).toMatchObject({ kind: "undo", ok: false, step, critical: false });
    await told(agent, "undo");
    const { targets } = await told(agent, "rollback", "--suggest");
    expect(targets.find(({ version }: { version: string }) => version === "1.0.0")).toMatchObject({
      well: 0,
      failed: 2,
    });
  },
);
