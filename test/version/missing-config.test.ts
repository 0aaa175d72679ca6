import { execFileSync } from "node:child_process";
import { existsSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { configSources } from "../../src/version/logged-config.js";
import { type Place, placeAt, readEverything, refsOf, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

/** An agent whose log is founded and whose kai.yaml is in no commit yet. */
async function notCommitted(): Promise<Place> {
  const { dir, env } = scratch();
  const place = placeAt(path.join(dir, "clerk"), env);
  execFileSync("git", ["init", "-q", "-b", "main", place.dir], { env });
  place.write("logic.py", "print(1)\n");
  place.commit("feat: answer");
  await told(place, "init", "--yes", "--no-commit");
  return place;
}

test("create refuses a commit without kai.yaml, and says how it gets one", async () => {
  const place = await notCommitted();
  const before = refsOf(place);
  const error = { code: "E105", exit: 1, hint: expect.stringContaining("git add kai.yaml") };
  expect(await refused(place, "create")).toMatchObject(error);
  expect(await refused(place, "create", "--dry-run")).toMatchObject(error);
  rmSync(path.join(place.dir, "kai.yaml"));
  expect(await refused(place, "create")).toMatchObject({ code: "E105" });
  expect(refsOf(place)).toBe(before);
});

test("create --include-changes commits kai.yaml with the rest, and refuses where it would leave it out", async () => {
  const place = await notCommitted();
  place.write(".git/info/exclude", "kai.yaml\n");
  const before = refsOf(place);
  place.write("logic.py", "print(2)\n");
  expect(await refused(place, "create", "--include-changes")).toMatchObject({ code: "E105", exit: 1 });
  expect(refsOf(place)).toBe(before);
  place.write(".git/info/exclude", "");
  expect(await told(place, "create", "--include-changes")).toMatchObject({ version: "1.0.0" });
  expect(place.git("show", "v1.0.0:kai.yaml")).toContain("agent_id: clerk");
});

test("without kai.yaml everything goes by that of the version in force, and says so", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("rm", "-q", "kai.yaml");
  agent.git("commit", "-qm", "chore: no kai.yaml");
  await readEverything(agent);
  for (const args of [["next"], ["compare", "1.0.0", "HEAD"], ["config", "show"], ["recover"]])
    await told(agent, ...args);
  const { stdout, stderr } = await agent.kai("status");
  expect(stdout).toContain("ai.example.clerk");
  expect(stderr).toBe(
    "There is no kai.yaml here: that of v1.1.0 is in effect. `git checkout v1.1.0 -- kai.yaml` brings it back.\n",
  );
  expect((await agent.kai("show", "current")).stderr).toBe(stderr);
  expect(await refused(agent, "create")).toMatchObject({ code: "E105" });
  expect(await refused(agent, "create", "--include-changes")).toMatchObject({ code: "E105" });

  const again = await agent.kai("init");
  expect(again.stdout).toContain("ai.example.clerk is an agent already, but its kai.yaml is gone");
  expect(again.stdout).toContain("`git checkout v1.1.0 -- kai.yaml`");
  expect(await told(agent, "init")).toMatchObject({ agentId: "ai.example.clerk", configFrom: "v1.1.0", written: [] });

  expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ to: "1.0.0" });
  expect(existsSync(path.join(agent.dir, "kai.yaml"))).toBe(true);
  expect((await agent.kai("status")).stderr).toBe("");
  expect(await told(agent, "undo")).toMatchObject({ to: "1.1.0" });
  expect((await agent.kai("log")).stderr).toContain("that of v1.1.0 is in effect");
});

test("the version in force is asked for its kai.yaml first, then the newest", () => {
  const [first, second, third] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];
  const made = (tag: string, id: string) => [{ ref: `refs/tags/${tag}`, old: null, new: id }];
  const inForce = (tag: string) => ({ before: null, after: { version: "1.0.0", tag, pointer: third } });
  const moved = [{ ref: "refs/tags/current", old: second, new: third }];
  const log = [
    { changes: moved, current: inForce(first) },
    { changes: [...made("v1.1.0", second), ...moved], current: inForce(second) },
    { changes: made("v1.0.0", first), current: inForce(first) },
    { changes: [], current: { before: null, after: null } },
  ];
  expect(configSources(log).map(({ of }) => of)).toEqual(["v1.0.0", "v1.1.0"]);
  expect(configSources(log.slice(1)).map(({ of }) => of)).toEqual(["v1.1.0", "v1.0.0"]);
  expect(configSources([])).toEqual([]);
});

test("init writes a kai.yaml anew that was never committed, by the id of the log", async () => {
  const place = await notCommitted();
  rmSync(path.join(place.dir, "kai.yaml"));
  expect(await refused(place, "status")).toMatchObject({ code: "E105" });
  expect(await told(place, "init", "--dry-run")).toMatchObject({ agentId: "clerk", written: ["kai.yaml"] });
  expect(existsSync(path.join(place.dir, "kai.yaml"))).toBe(false);
  expect(await told(place, "init")).toMatchObject({ outcome: "present", agentId: "clerk", written: ["kai.yaml"] });
  expect(await told(place, "init")).toMatchObject({ outcome: "present", agentId: "clerk", written: [] });
  expect(await told(place, "status")).toMatchObject({ agent: "clerk" });
});

test("a kai.yaml that is a link is in no version, whatever it leads to", async () => {
  const agent = await agentWithVersions("1.0.0");
  const [rules, link] = [path.join(path.dirname(agent.dir), "rules.yaml"), path.join(agent.dir, "kai.yaml")];
  renameSync(link, rules);
  symlinkSync(rules, link);
  const before = refsOf(agent);
  const error = { code: "E105", exit: 1, message: expect.stringContaining("is no file") };
  expect(await refused(agent, "create", "--include-changes")).toMatchObject(error);
  expect(refsOf(agent)).toBe(before);
  agent.commit("feat: rules from elsewhere");
  expect(await refused(agent, "create")).toMatchObject(error);
});
