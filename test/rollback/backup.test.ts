import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type RollbackResult, rollBack } from "../../src/rollback/rollback.js";
import { observe } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { agentInTheWay } from "../support/agent-in-the-way.js";

const read = (agent: Agent, name: string): string => readFileSync(path.join(agent.dir, name), "utf8");

/** Goes back to 1.0.0 by force; `meanwhile` is done when the backup is taken and nothing is overwritten yet. */
function forcedBackWith(agent: Agent, meanwhile: () => void): Promise<RollbackResult> {
  const progress = (message: string) => {
    if (message.startsWith("Restoring")) meanwhile();
  };
  const caller = { cwd: agent.dir, env: agent.env, now: () => new Date(), progress, onRecovered: () => {} };
  return rollBack(caller, { to: "1.0.0", force: true });
}

const backups = (agent: Agent): string[] =>
  agent
    .git("for-each-ref", "--format=%(refname)", "refs/kai/backup")
    .split("\n")
    .filter((ref) => ref !== "" && !ref.endsWith("-state"));

test("an edit made after the backup is not overwritten: of what the versions have otherwise it refuses", async () => {
  const agent = await agentInTheWay();
  agent.write("prompts/system.md", "saved\n");
  for (const [name, text] of [
    ["extra", "later\n"],
    ["plain/mine.log", "later\n"],
  ] as const) {
    const before = agent.git("rev-parse", "HEAD", "refs/kai/log", "current");
    await expect(forcedBackWith(agent, () => agent.write(name, text))).rejects.toMatchObject({
      code: "E102",
      message: expect.stringContaining(name),
    });
    expect(read(agent, name)).toBe(text);
    expect(agent.git("rev-parse", "HEAD", "refs/kai/log", "current")).toBe(before);
  }
  // It is what it says, and asked again it saves that too.
  const { backup } = await forcedBackWith(agent, () => {});
  expect(agent.git("show", `${backup}:extra`)).toBe("later");
});

test("a forced rollback where git's index is gone saves what stands in the files' places", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  rmSync(path.join(agent.dir, ".git/index"));
  const { backup } = await told(agent, "rollback", "1.0.0", "--force");
  expect(agent.git("show", `${backup}:logic.py`)).toContain("1.1.0");
  expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toContain("1.0.0");
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("an edit made after the backup stays where the versions are alike", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("tools/search.json", "saved\n");
  const { backup } = await forcedBackWith(agent, () => agent.write("tools/search.json", "later\n"));
  expect([read(agent, "tools/search.json"), agent.git("show", `${backup}:tools/search.json`)]).toEqual([
    "later\n",
    "saved",
  ]);
  expect(agent.git("status", "--porcelain")).toBe(" M tools/search.json");
});

test("a file that was deleted, and written again after the backup, is not overwritten", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.remove("logic.py");
  await expect(forcedBackWith(agent, () => agent.write("logic.py", "later\n"))).rejects.toMatchObject({ code: "E102" });
  expect(read(agent, "logic.py")).toBe("later\n");
});

test("a forced rollback that another git keeps from happening leaves everything as it was, and no backup", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "mine\n");
  agent.write("tools/search.json", "staged\n");
  agent.git("add", "tools/search.json");
  agent.remove("prompts/system.md");
  agent.write(".git/index.lock", "");
  const before = observe(agent);
  expect(await agent.kai("rollback", "1.0.0", "--force")).toMatchInlineSnapshot(`
    Error E113: Another git process holds <agent>/.git/index.lock.
    Hint: Wait for it to end and run the command again; if no git process runs, remove that file.
    [exit 4]
  `);
  expect(observe(agent)).toEqual(before);
  agent.remove(".git/index.lock");
  const { backup } = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(backups(agent)).toEqual([backup]);
  expect(agent.git("show", `${backup}:logic.py`)).toBe("mine");
});

test("the backup of a rollback that failed stays where a file was written over since", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "saved\n");
  agent.write("tools/search.json", "saved too\n");
  await expect(forcedBackWith(agent, () => agent.write("logic.py", "later\n"))).rejects.toMatchObject({ code: "E102" });
  const [backup] = backups(agent);
  expect(agent.git("show", `${backup}:logic.py`)).toBe("saved");
});

test("the backup stays where the log went on", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "saved\n");
  const elsewhere = () => {
    const commit = agent.git("commit-tree", "-p", "refs/kai/log", "-m", "another", "refs/kai/log^{tree}");
    agent.git("update-ref", "refs/kai/log", commit);
  };
  await expect(forcedBackWith(agent, elsewhere)).rejects.toMatchObject({ code: "E116" });
  expect(backups(agent)).toHaveLength(1);
});
