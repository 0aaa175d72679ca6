import { expect, test } from "vitest";
import { createVersion } from "../../src/snapshot/gate/create-version.js";
import { automaticVersion } from "../../src/trigger/automatic-version.js";
import { runTriggers } from "../../src/trigger/run-triggers.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/** Every quarter of an hour: the same in all time zones. */
const QUARTERLY = "*/15 * * * *";

const kaiYaml = (lifecycle: object) =>
  JSON.stringify({
    agent_id: "ai.example.clerk",
    version_management: { artifacts: { state: { include: ["state.json"] } } },
    lifecycle,
  });

/** Version 1.0.0 of 9:00, which has this trigger, and a feature behind it that has one dependency. */
async function agentWith(trigger: object): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", kaiYaml({ trigger }));
  agent.write("state.json", "{}\n");
  agent.commit("feat: triggers");
  await createVersion(callerAt(agent, "09:00:00"), automaticVersion(undefined));
  agent.write("requirements.txt", "requests==2.31.0\n");
  agent.commit("feat: depend on requests");
  return agent;
}

const callerAt = (agent: Agent, at: string) => ({
  cwd: agent.dir,
  env: agent.env,
  now: () => new Date(`2026-03-02T${at}Z`),
  progress: () => {},
  onRecovered: () => {},
});

const runAt = (agent: Agent, at: string, dryRun = false) =>
  runTriggers(callerAt(agent, at), { trustCommands: false, dryRun });

const versions = (agent: Agent) => agent.git("tag", "--list", "v*", "--sort=v:refname").split("\n");

test("schedule: a version is made once a time has come since the newest version, and something is new", async () => {
  const agent = await agentWith({ on: ["schedule"], schedule: QUARTERLY });
  expect(await runAt(agent, "09:14:59")).toMatchObject({
    ran: [{ trigger: "schedule", version: null, why: `${QUARTERLY} has not come since v1.0.0` }],
    next: "2026-03-02T09:15:00Z",
    created: null,
  });
  expect(await runAt(agent, "09:15:00", true)).toMatchObject({
    ran: [{ trigger: "schedule", version: "1.1.0" }],
    next: "2026-03-02T09:30:00Z",
  });
  expect(versions(agent)).toEqual(["v1.0.0"]);
  expect(await runAt(agent, "09:16:00")).toMatchObject({
    ran: [{ trigger: "schedule", version: "1.1.0", why: `${QUARTERLY} came at 2026-03-02T09:15:00Z, since v1.0.0` }],
    created: { type: "auto", current: true, state: { files: ["state.json"] } },
  });
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  agent.write("logic.py", "more\n");
  agent.commit("fix: more");
  expect(await runAt(agent, "09:17:00")).toMatchObject({ ran: [{ version: null }] });
  expect(await runAt(agent, "11:00:00")).toMatchObject({ ran: [{ version: "1.1.1" }] });
  expect(await runAt(agent, "12:00:00")).toMatchObject({
    ran: [{ version: null, why: "nothing has changed since 1.1.1" }],
    next: "2026-03-02T12:15:00Z",
  });
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 3 });
});

test("schedule: the first version is due by the time when the log began", async () => {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", kaiYaml({ trigger: { on: ["schedule", "dependency"], schedule: QUARTERLY } }));
  agent.commit("feat: triggers");
  const ran = (version: string | null) => [
    { trigger: "dependency", version: null, why: "no version is in force to compare with" },
    { trigger: "schedule", version },
  ];
  expect(await runAt(agent, "09:10:00")).toMatchObject({ ran: ran(null) });
  expect(await runAt(agent, "09:20:00")).toMatchObject({ ran: ran("1.0.0") });
});

test("schedule: a commit that is a version already is not made one again, though another is in force", async () => {
  const agent = await agentWith({ on: ["schedule"], schedule: QUARTERLY });
  expect((await agent.kai("create", "--no-current")).exit).toBe(0);
  const later = { ...callerAt(agent, "09:00:00"), now: () => new Date("2099-01-01T00:00:00Z") };
  expect(await runTriggers(later, { trustCommands: false, dryRun: false })).toMatchObject({
    ran: [{ version: null, why: "what is committed is 1.1.0 already" }],
  });
});

test("dependency: a version is made where a lock file that is committed settles on something else", async () => {
  const agent = await agentWith({ on: ["dependency"] });
  expect(await runAt(agent, "09:01:00")).toMatchObject({
    ran: [{ trigger: "dependency", version: "1.1.0", why: "requests 2.31.0 is new" }],
    next: null,
  });
  agent.write("logic.py", "more\n");
  agent.commit("fix: more");
  agent.write("requirements.txt", "requests==2.32.0\nidna==3.7\n");
  expect(await runAt(agent, "09:02:00")).toMatchObject({ ran: [{ version: null, why: "none differs from 1.1.0" }] });
  agent.commit("fix: newer requests");
  expect(await runAt(agent, "09:03:00")).toMatchObject({
    ran: [{ version: "1.1.1", why: "requests 2.31.0 -> 2.32.0, idna 3.7 is new" }],
    created: { record: { notes: "automatic version by the trigger dependency" } },
  });
  expect(await runAt(agent, "09:04:00")).toMatchObject({ ran: [{ version: null, why: "none differs from 1.1.1" }] });
  agent.write("requirements.txt", "idna==3.7\n");
  agent.commit("fix: no requests");
  expect(await runAt(agent, "09:05:00")).toMatchObject({ ran: [{ why: "requests 2.32.0 is gone" }] });
});

test("two occasions at once make one version", async () => {
  const agent = await agentWith({ on: ["schedule", "dependency", "before-operation"], schedule: QUARTERLY });
  const { ran, created } = await runAt(agent, "09:20:00");
  expect(ran).toMatchObject([
    { trigger: "dependency", version: "1.1.0" },
    { trigger: "schedule", version: "1.1.0" },
  ]);
  expect(created?.record?.notes).toBe("automatic version by the trigger dependency and schedule");
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
});

test("two runs at once make one version", async () => {
  const agent = await agentWith({ on: ["schedule"], schedule: QUARTERLY });
  const runs = await Promise.all([agent.kai("trigger", "run", "--json"), agent.kai("trigger", "run", "--json")]);
  expect(runs.map(({ exit }) => exit)).toEqual([0, 0]);
  const made = runs.map((run) => run.json().ran[0].version);
  expect(made.sort()).toEqual(["1.1.0", null]);
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
});

test("what create refuses is refused where a version is due, and no error where none is", async () => {
  const agent = await agentWith({ on: ["schedule"], schedule: QUARTERLY });
  agent.write("prompts/system.md", "not committed\n");
  expect(await runAt(agent, "09:10:00")).toMatchObject({ ran: [{ version: null }] });
  await expect(runAt(agent, "09:20:00")).rejects.toMatchObject({ code: "E102" });
});

test("what the version in force does not say is not done, so that nobody who only commits has others sign it", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", kaiYaml({ trigger: { on: ["schedule", "dependency"], schedule: QUARTERLY } }));
  agent.write("requirements.txt", "requests==2.31.0\n");
  agent.commit("feat: triggers");
  const why = "the kai.yaml of 1.0.0, which is in force, does not name it yet";
  expect(await runAt(agent, "10:00:00")).toMatchObject({ ran: [{ why }, { why }], next: null, created: null });
  expect(versions(agent)).toEqual(["v1.0.0"]);
});

test("without an occasion that is swept nothing is looked at", async () => {
  const agent = await agentWith({ on: ["before-operation"] });
  expect(await runAt(agent, "09:20:00")).toEqual({ ran: [], next: null, created: null, pruned: [] });
});
