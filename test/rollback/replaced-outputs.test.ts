import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { encodeTime } from "ulid";
import { expect, test } from "vitest";
import { leftovers } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { kaiYaml, type LiveAgent, liveAgent } from "./live-agent.js";

const INSTALL =
  "install: {run: 'echo installed >> $EVENTS; mkdir modules; cp deps.lock modules/; cp deps.lock built.bin'}";
const SICK = `${INSTALL}\nhealth: {run: '! grep -q one deps.lock', timeout: 5s, retries: 0}`;
const IGNORED = "state.json\nmemory.sqlite*\nmodules/\nbuilt.bin\n";

/** Versions 1.0.0 and 1.1.0 with other lock files; of the second there are modules, with work of somebody's in them. */
async function agentWithModules(lifecycle = INSTALL, more = ""): Promise<LiveAgent> {
  const agent = await liveAgent();
  const yaml = kaiYaml(lifecycle, more);
  await agent.version("1.0.0", { "kai.yaml": yaml, ".gitignore": IGNORED, "deps.lock": "one\n" });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  agent.write("modules/deps.lock", "two\n");
  agent.write("modules/patched by hand.js", "work\n");
  return agent;
}

const replacedIn = (agent: LiveAgent) => {
  const folder = path.join(agent.dir, ".git/kai/replaced");
  return existsSync(folder) ? readdirSync(folder) : [];
};

test("a folder that an installed one replaces is kept, told, and back with undo, without installing anything", async () => {
  const agent = await agentWithModules();
  const back = await told(agent, "rollback", "1.0.0");
  const kept = path.join(agent.dir, ".git/kai/replaced", back.operation, "1");
  expect(back.replaced).toEqual([{ path: "modules", kept }]);
  expect(readFileSync(path.join(kept, "patched by hand.js"), "utf8")).toBe("work\n");
  expect([agent.read("modules/deps.lock"), agent.read("built.bin")]).toEqual(["one\n", "one\n"]);
  expect(agent.events()).toEqual(["installed"]);
  agent.write("modules/since.js", "since\n");

  const planned = await told(agent, "undo", "--dry-run");
  expect(planned.steps.find(({ type }: { type: string }) => type === "restore_dependencies").status).toBe("planned");
  const undone = await told(agent, "undo");
  expect(undone.plan.steps[1]).toMatchObject({ does: "put back what was installed before, 2 paths", applies: true });
  expect(undone.steps[1]).toMatchObject({ type: "restore_dependencies", status: "done" });
  expect([agent.read("modules/deps.lock"), agent.read("modules/patched by hand.js")]).toEqual(["two\n", "work\n"]);
  // What was not there before is gone again, and nothing had to be installed.
  expect([agent.has("built.bin"), agent.events()]).toEqual([false, []]);
  expect(undone.replaced.map((each: { path: string }) => each.path)).toEqual(["built.bin", "modules"]);
  expect(replacedIn(agent)).toEqual([undone.operation]);

  // The undo can be undone, with what came since.
  const again = await told(agent, "undo");
  expect([agent.read("modules/since.js"), agent.read("built.bin")]).toEqual(["since\n", "one\n"]);
  expect([agent.events(), replacedIn(agent)]).toEqual([[], [again.operation]]);
  expect(leftovers(agent)).toEqual([]);
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("the fallback to before the rollback puts it back, too", async () => {
  const agent = await agentWithModules(SICK);
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  expect(ran.json().error).toMatchObject({ code: "E127", recovered: { strategy: "emergency_snapshot", to: "1.1.0" } });
  expect(agent.read("modules/patched by hand.js")).toBe("work\n");
  expect(agent.events()).toEqual(["installed"]);
});

test("where a later operation replaced something the dependencies are installed anew", async () => {
  const agent = await agentWithModules();
  const first = await told(agent, "rollback", "1.0.0");
  agent.write("deps.lock", "three\n");
  await agent.version("1.2.0");
  await told(agent, "rollback", "1.1.0", "--force");
  agent.events();
  const back = await told(agent, "rollback", first.operation, "--type", "snapshot", "--force", "--dry-run");
  expect(back.plan.steps[1].does).not.toContain("put back");
});

test("a policy without the step leaves the dependencies as they are", async () => {
  const agent = await agentWithModules(
    INSTALL,
    "rollback_system: {policies: [{name: installing, steps: [{type: restore_dependencies}]}]}\n",
  );
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  expect(agent.read("modules/patched by hand.js")).toBe("work\n");
  const files = await agentWithModules(INSTALL, "rollback_system: {policies: [{name: files, steps: []}]}\n");
  expect((await told(files, "rollback", "1.0.0")).replaced).toEqual([]);
  expect(files.read("modules/patched by hand.js")).toBe("work\n");
});

test("what is older than backup_retention is removed by the next cleanup", async () => {
  const agent = await agentWithModules(INSTALL, "rollback_system: {backup_retention: 1h}\n");
  const old = `${encodeTime(Date.now() - 2 * 3_600_000, 10)}${"0".repeat(16)}`;
  const young = `${encodeTime(Date.now() - 60_000, 10)}${"0".repeat(16)}`;
  for (const name of [old, young, "no operation"]) agent.write(`.git/kai/replaced/${name}/0/file`, "kept\n");
  const back = await told(agent, "rollback", "1.0.0");
  expect(replacedIn(agent).sort()).toEqual([back.operation, young, "no operation"].sort());
});
