import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { takeLock } from "../../src/operation/lock.js";
import { readOperationState } from "../../src/operation/operation-state.js";
import { kaiYaml, liveAgent } from "../rollback/live-agent.js";
import { refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const WAITS = "stop: {run: 'echo stopping > ../stopping; while [ ! -e ../go ]; do sleep 0.02; done', timeout: 60s}";

/** A rollback that waits for `../go` while the agent is stopped. */
async function waiting() {
  const agent = await liveAgent();
  const yaml = kaiYaml(WAITS);
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  const child = spawn(PROGRAM, ["rollback", "1.0.0"], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  const ended = once(child, "close");
  onTestFinished(async () => {
    writeFileSync(path.join(agent.dir, "../go"), "");
    await ended;
  });
  await expect.poll(() => agent.has("../stopping"), { timeout: 50_000 }).toBe(true);
  return { agent, child, ended };
}

test("an operation that runs is told from one that was interrupted", async () => {
  const { agent, child, ended } = await waiting();
  const running = { what: "rollback", process: child.pid, since: expect.stringMatching(/^20.*Z$/) };
  expect(await told(agent, "status")).toMatchObject({ recovery: false, running });
  expect((await agent.kai("status")).stdout).toMatch(
    new RegExp(
      `^An operation is under way: rollback \\(process ${child.pid}\\), since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d\\.$`,
      "m",
    ),
  );
  expect((await agent.kai("list")).stderr).toContain("An operation is under way: rollback (process ");
  expect(await refused(agent, "init", "--dry-run")).toMatchObject({ code: "E113" });
  child.kill("SIGKILL");
  await ended;
  expect(await told(agent, "status")).toMatchObject({ recovery: true, running: null });
  const interrupted = "An operation was interrupted: `git kai-version recover` brings it to its end.";
  expect((await agent.kai("status")).stdout).toContain(interrupted);
  expect((await agent.kai("list")).stderr).toContain(interrupted);
  expect(await refused(agent, "init", "--dry-run")).toMatchObject({ code: "E125" });
  await told(agent, "recover");
  expect(await told(agent, "status")).toMatchObject({ recovery: false, running: null });
});

test("one that ends while nobody looks is neither", async () => {
  const { agent, ended } = await waiting();
  writeFileSync(path.join(agent.dir, "../go"), "");
  await ended;
  expect(await told(agent, "status")).toMatchObject({ recovery: false, running: null, current: "1.0.0" });
});

test("whom the file names and who has ended does not hold the lock", async () => {
  const agent = await agentWithVersions("1.0.0");
  const repository = await openRepository(agent.dir, agent.env);
  const lock = await takeLock(repository, "create");
  const file = path.join(agent.dir, ".git/kai/lock");
  expect(await readOperationState(repository)).toMatchObject({
    running: { what: "create", process: process.pid },
    interrupted: false,
  });
  writeFileSync(file, "create (process 1)\nno boot:1:1\n");
  expect(await readOperationState(repository)).toMatchObject({ running: { what: null, process: null } });
  expect((await agent.kai("status")).stdout).toMatch(/An operation is under way, since .*\.\n/);
  await lock.release();
  expect(await readOperationState(repository)).toEqual({ running: null, interrupted: false });
  rmSync(file);
  expect(await readOperationState(repository)).toEqual({ running: null, interrupted: false });
});

test("where the lock cannot be tried, a journal is taken for an interrupted one's", async () => {
  const agent = await agentWithVersions("1.0.0");
  const { dir: bin } = scratch();
  mkdirSync(path.join(agent.dir, ".git/kai/journal"), { recursive: true });
  writeFileSync(path.join(agent.dir, ".git/kai/journal", "0".repeat(26)), "");
  const repository = await openRepository(agent.dir, agent.env);
  const without = { ...repository, env: { ...repository.env, PATH: bin } };
  expect(existsSync(path.join(bin, "flock"))).toBe(false);
  expect(await readOperationState(without)).toEqual({ running: null, interrupted: true });
  writeFileSync(path.join(bin, "flock"), "#!/bin/sh\nexit 1\n");
  chmodSync(path.join(bin, "flock"), 0o755);
  expect(await readOperationState(without)).toEqual({ running: null, interrupted: true });
});
