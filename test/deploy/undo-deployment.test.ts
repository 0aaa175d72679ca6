import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { entryAt } from "../operation/observe.js";
import { agentWithVersions } from "../support/agent.js";
import { LIFECYCLE, RUN, runningAgent } from "./running-agent.js";

const told = (root: string) =>
  readFileSync(path.join(root, "rollback.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ event, from, to, path: leads }) => [event, from, to, leads]);

test("undo takes a deployment back, and undo of that", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const link = () => readlinkSync(path.join(root, "current"));
  for (const version of ["1.0.0", "1.1.0"]) {
    expect((await agent.kai("deploy", version, "--to", root)).exit).toBe(0);
  }
  const undone = await agent.kai("undo", "--json");
  expect(undone.json()).toMatchObject({
    undone: { kind: "deploy" },
    deployment: { version: "1.0.0", previous: "1.1.0" },
  });
  expect(link()).toBe("versions/v1.0.0");
  expect((await agent.kai("undo")).exit).toBe(0);
  expect(link()).toBe("versions/v1.1.0");
  const [first] = (await agent.kai("log", "--kind", "deploy", "--json")).json().operations.slice(-1);
  expect((await agent.kai("undo", first.id, "--json")).json().error.code).toBe("E125");
  expect(link()).toBe("versions/v1.1.0");
});

test("undo of the first deployment: the link goes, the agent ends, and undo of that deploys it again", async () => {
  const { agent, root, version, events, versionsThatRun } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  expect(await agent.kai("undo", "--dry-run")).toMatchInlineSnapshot(`
    Would undo: deploy v1.0.0
      deployed   1.0.0 -> nothing
    [exit 0]
  `);
  expect(await versionsThatRun()).toEqual(["1.0.0"]);
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    ✓ Undone: deploy v1.0.0
      deployed   1.0.0 -> nothing
    [exit 0]
  `);
  expect([existsSync(path.join(root, "current")), await versionsThatRun()]).toEqual([false, []]);
  expect(events()).toEqual(["1.0.0 starts, current ", "1.0.0 stops, current"]);
  expect(existsSync(path.join(root, "versions/v1.0.0/logic.py"))).toBe(true);
  expect(entryAt(agent, "refs/kai/log")).toMatchObject({
    kind: "undo",
    details: { deployed: null, previous: "1.0.0", path: null, root, undoes: expect.any(String) },
  });
  expect((await agent.kai("status")).stdout).toContain("Nothing is deployed at");
  const again = await agent.kai("undo", "--json");
  expect(again.json().deployment).toMatchObject({
    version: "1.0.0",
    previous: null,
    written: false,
    started: { ok: true },
  });
  expect([readlinkSync(path.join(root, "current")), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect(told(root)).toEqual([
    ["deploy", null, "1.0.0", "versions/v1.0.0"],
    ["undo", "1.0.0", null, null],
    ["undo", null, "1.0.0", "versions/v1.0.0"],
  ]);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("a deployment is not undone past later ones, also where its version is deployed again; one after the other they are", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const deploy = async (version: string): Promise<string> =>
    (await agent.kai("deploy", version, "--to", root, "--json")).json().operation;
  const link = () => readlinkSync(path.join(root, "current"));
  const first = await deploy("1.0.0");
  const second = await deploy("1.1.0");
  const third = await deploy("1.0.0");
  const undo = async (id: string, ...more: string[]) => (await agent.kai("undo", id, ...more, "--json")).json();
  for (const more of [[], ["--dry-run"]]) {
    expect((await undo(first, ...more)).error).toMatchObject({
      code: "E125",
      message: `Another deployment was made at ${root} since: deploy v1.0.0.`,
      hint: expect.stringContaining(`undo ${third}`),
    });
  }
  expect(link()).toBe("versions/v1.0.0");
  // Elsewhere it is another deployment.
  expect((await agent.kai("deploy", "1.1.0", "--to", `${root}-too`)).exit).toBe(0);
  expect((await undo(third)).deployment).toMatchObject({ version: "1.1.0" });
  // Undone already, by one that is later.
  const again = await undo(third);
  expect([again.error.code, again.error.message]).toEqual(["E125", expect.stringContaining("undo the deployment")]);
  expect((await undo(second)).deployment).toMatchObject({ version: "1.0.0" });
  expect((await undo(first)).deployment).toMatchObject({ version: null, previous: "1.0.0" });
  expect(existsSync(path.join(root, "current"))).toBe(false);
});

test("what was deployed without commands is undone without them", async () => {
  const { agent, version, versionsThatRun } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  for (const number of ["1.0.0", "1.1.0"]) expect((await agent.kai("deploy", number, "--no-commands")).exit).toBe(0);
  for (const undone of ["1.0.0", "1.1.0"]) {
    expect((await agent.kai("undo", "--json")).json().deployment).toMatchObject({ version: undone, started: null });
  }
  expect(await versionsThatRun()).toEqual([]);
});

test("a link that was none of ours before is not led back to", async () => {
  const agent = await agentWithVersions("1.0.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  mkdirSync(path.join(root, "releases/7"), { recursive: true });
  symlinkSync("releases/7", path.join(root, "current"));
  expect((await agent.kai("deploy", "1.0.0", "--to", root)).exit).toBe(0);
  const refused = await agent.kai("undo", "--json");
  expect([refused.exit, refused.json().error]).toMatchObject([
    1,
    { code: "E125", message: expect.stringContaining("releases/7") },
  ]);
  expect(readlinkSync(path.join(root, "current"))).toBe("versions/v1.0.0");
});

test("what somebody else did to the link or the root in the meantime refuses an undo", async () => {
  const agent = await agentWithVersions("1.0.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const current = path.join(root, "current");
  expect((await agent.kai("deploy", "1.0.0", "--to", root)).exit).toBe(0);
  const undo = async () => (await agent.kai("undo", "--json")).json().error?.code;
  rmSync(current);
  expect(await undo()).toBe("E125");
  symlinkSync("elsewhere", current);
  expect(await undo()).toBe("E125");
  rmSync(current);
  mkdirSync(current);
  expect(await undo()).toBe("E125");
  rmSync(root, { recursive: true });
  expect(await undo()).toBe("E125");
});
