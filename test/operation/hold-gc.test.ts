import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { holdGc } from "../../src/operation/hold-gc.js";
import { kaiFolderOf } from "../../src/operation/kai-folder.js";
import { agentWithVersions } from "../support/agent.js";

test("gc is kept out as by another gc, and let in again; what a dead process or a loss of power left is no hindrance", async () => {
  const agent = await agentWithVersions();
  const repository = await openRepository(agent.dir, agent.env);
  const { staging } = kaiFolderOf(repository);
  const file = path.join(agent.dir, ".git/gc.pid");
  for (const left of [
    undefined,
    "",
    "\0\0\0\0",
    `4194305 ${hostname()}`,
    `${process.pid} ${hostname()} git-kai-version\n`,
  ]) {
    if (left !== undefined) writeFileSync(file, left);
    const held = await holdGc(repository, staging, 0);
    expect((await agent.run("git", ["gc"])).stderr).toContain("gc is already running");
    await held.release();
    expect(existsSync(file)).toBe(false);
    expect((await agent.run("git", ["gc", "--quiet"])).exit).toBe(0);
  }
});

test("a gc that runs already is not waited for without end, and keeps its file", async () => {
  const agent = await agentWithVersions();
  const repository = await openRepository(agent.dir, agent.env);
  const file = path.join(agent.dir, ".git/gc.pid");
  for (const other of [`${process.pid} ${hostname()}`, "1 somewhere-else"]) {
    writeFileSync(file, other);
    const held = await holdGc(repository, kaiFolderOf(repository).staging, 0);
    await held.release();
    expect(readFileSync(file, "utf8")).toBe(other);
  }
});

test("creates go well while git gc --prune=now runs over and over", { timeout: 60_000 }, async () => {
  const agent = await agentWithVersions();
  const loop = spawn("sh", ["-c", "while [ ! -e ../stop ]; do git gc --quiet --prune=now; done"], {
    cwd: agent.dir,
    env: agent.env,
    stdio: "ignore",
  });
  const ended = once(loop, "close");
  onTestFinished(async () => {
    writeFileSync(path.join(agent.dir, "../stop"), "");
    await ended;
  });
  for (let turn = 1; turn <= 4; turn++) {
    agent.write("logic.py", `print(${turn})\n`);
    agent.write("state.json", `{"turn": ${turn}}\n`);
    const created = await agent.kai("create", "--include-changes");
    expect(created.exit, String(created)).toBe(0);
  }
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("an object that was pruned while it was needed: nothing is changed, and it is said what to do", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("logic.py", "print('new')\n");
  agent.commit("feat: new");
  const blob = agent.git("rev-parse", "HEAD:logic.py");
  await agent.run("rm", ["-f", `.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`]);
  expect(await agent.kai("create")).toMatchInlineSnapshot(`
    Error E116: The repository lacks an object: <id> missing.
    Hint: Nothing was changed. If \`git prune\` or \`git repack\` ran at this moment, run it again; else \`git fsck\` shows what is missing, to be fetched from a complete clone.
    [exit 1]
  `);
});
