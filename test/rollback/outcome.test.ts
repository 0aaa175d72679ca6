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
