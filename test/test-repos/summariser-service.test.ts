import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { checkHealth, runAgentCommand, startAgent, stopAgent } from "../../src/system/agent-process.js";
import { lifecycleCommands } from "../../src/version/lifecycle-commands.js";
import { addLifecycle, applyStep, buildAgent } from "../../test-repos/build-agent.mjs";
import { scratch } from "../support/scratch.js";

const NAME = "document-summariser";
const QUESTION = "How long are invoices kept?";

/** The agent as a repository, with the lifecycle of its kai.yaml as commands. */
async function place(...steps: string[]) {
  const { dir, env: clean } = scratch();
  const env = { ...clean, PYTHONDONTWRITEBYTECODE: "1" };
  await buildAgent(NAME, dir, { env });
  for (const step of ["service", ...steps]) await applyStep(NAME, step, dir, { env });
  const file = path.join(dir, "kai.yaml");
  writeFileSync(file, "agent_id: ai.example.summariser\n");
  await addLifecycle(NAME, dir);
  const config = parseAgentConfig(readFileSync(file, "utf8"), "kai.yaml");
  const { agent, stop, start, health, migrate } = lifecycleCommands(config.lifecycle, {
    cwd: dir,
    deployment: null,
    version: "1.3.0",
    from: "1.3.0",
    to: "1.1.0",
    operation: "01JKZZZZZZZZZZZZZZZZZZZZZZ",
    commonDir: path.join(dir, ".git"),
    repo: path.basename(path.dirname(dir)),
  });
  if (!(start && stop && health && migrate)) throw new Error("lifecycle.yaml lacks a command");
  onTestFinished(async () => {
    await stopAgent(null, agent, { env, graceMs: 0 });
  });
  mkdirSync(path.dirname(start.log), { recursive: true });
  const service = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync("python3", ["service.py", ...args], {
      cwd: dir,
      env,
      encoding: "utf8",
    });
    return { status, said: (stdout + stderr).trim() };
  };
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trim();
  return { dir, context: { env }, agent, stop, start, health, migrate, service, git };
}

test("it runs as a live process with a database in use, and is started, asked and stopped by its lifecycle", async () => {
  const { dir, context, agent, stop, start, health, service, git } = await place("v1.1");
  expect(await startAgent(start, context)).toMatchObject({ ok: true, exitCode: null });
  expect(service("ask", QUESTION)).toMatchObject({ status: 0, said: expect.stringContaining("seven years") });
  expect(service("health")).toEqual({ status: 0, said: "well, 1 answers remembered" });
  expect(existsSync(path.join(dir, "memory.sqlite-wal"))).toBe(true);
  expect(git("status", "--porcelain", "--untracked-files=all", "--", "run", "memory.sqlite*")).toBe("");
  expect(await stopAgent(stop, agent, context)).toMatchObject({ ok: true, forced: null, output: "stopped\n" });
  expect(existsSync(path.join(dir, "memory.sqlite-wal"))).toBe(false);
  expect((await checkHealth({ ...health, retries: 0 }, context)).ok).toBe(false);
  expect(await stopAgent(stop, agent, context)).toMatchObject({ ok: true, output: "it does not run\n" });
});

test("version 1.3 is ill, and its memory is none of version 1.1's until it is migrated back", async () => {
  const { dir, context, agent, stop, start, migrate, service, git } = await place("v1.1");
  expect(service("start")).toEqual({ status: 0, said: "started" });
  service("ask", QUESTION);
  service("ask", "Who approves a release?");
  expect(service("stop")).toEqual({ status: 0, said: "stopped" });
  const well = git("rev-parse", "HEAD");

  await applyStep(NAME, "v1.3", dir, { env: context.env });
  const ill = { ...start, health: start.health && { ...start.health, retries: 2 } };
  expect(await startAgent(ill, context)).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^It is not well: .*ill: find_passages\.limit: 0 is out of range/),
  });
  expect(spawnSync("python3", ["logic.py", "--memory"], { cwd: dir, encoding: "utf8" }).stdout).toMatch(/^2 answers/);

  const migrator = readFileSync(path.join(dir, "migrate.py"), "utf8");
  git("checkout", "-q", well, "--", ".");
  expect(spawnSync("python3", ["logic.py", "--memory"], { cwd: dir, encoding: "utf8" }).stdout).toMatch(/^0 answers/);
  execFileSync("sqlite3", ["memory.sqlite", "DROP TABLE exchanges"], { cwd: dir });
  writeFileSync(path.join(dir, "migrate-of-1.3.py"), migrator);
  const back = { ...migrate, run: migrate.run.replace("migrate.py", "migrate-of-1.3.py") };
  expect(await runAgentCommand(back, context)).toMatchObject({
    ok: true,
    output: "memory.sqlite is as version 1.1.0 reads it\n",
  });
  expect(await startAgent(start, context)).toMatchObject({ ok: true });
  expect(service("health")).toEqual({ status: 0, said: "well, 2 answers remembered" });
  expect((await stopAgent(stop, agent, context)).ok).toBe(true);
});
