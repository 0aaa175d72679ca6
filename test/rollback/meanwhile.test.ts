import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { cutShort, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** An agent of two versions whose stop command does this, right before the commit point. */
async function agentStoppedBy(run: string): Promise<LiveAgent> {
  const agent = await liveAgent();
  const yaml = kaiYaml(`stop: {run: '${run}', timeout: 20s}\n${START}`);
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  return agent;
}

test("an edit while it runs is nobody's to overwrite: it stays, and exit 4 tells of it", async () => {
  const agent = await agentStoppedBy("echo mine > logic.py");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({ code: "E114", exit: 4, message: expect.stringContaining("logic.py") });
  expect(agent.read("logic.py")).toBe("mine\n");
  expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
  expect(agent.git("status", "--porcelain")).toBe(" M logic.py");
  expect(agent.events()).toEqual(["started 1.0.0"]);
});

test("a commit while it runs is refused by git, and where the branch moves all the same nothing happens", async () => {
  const agent = await agentStoppedBy(
    "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; git commit -qam mine 2> ../refused; git update-ref refs/heads/main $(git commit-tree -m mine -p HEAD HEAD^{tree})",
  );
  const before = agent.git("rev-parse", "HEAD");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.code).toMatch(/^E11[36]$/);
  expect([agent.git("rev-parse", "HEAD^"), agent.git("log", "-1", "--format=%s")]).toEqual([before, "mine"]);
  expect(agent.read("../refused")).toContain("index.lock");
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  expect(agent.events()).toEqual(["started 1.1.0"]);
  expect(leftovers(agent)).toEqual([]);
});

test("state that the stopped agent writes last is saved", async () => {
  const agent = await agentStoppedBy("echo last > state.json");
  await told(agent, "rollback", "1.0.0");
  expect(agent.read("state.json")).toContain("0.9.0");
  await told(agent, "undo");
  // The stop command of the way back wrote it again, before it was replaced.
  expect(agent.read("state.json")).toBe("last\n");
});

test("Ctrl-C before the commit point takes all back and starts the agent again; behind it nothing is left half done", async () => {
  const agent = await agentStoppedBy("touch ../stopping; while ! test -e ../go; do sleep 0.02; done");
  const before = observe(agent);
  const child = spawn(process.execPath, [PROGRAM, "rollback", "1.0.0"], {
    cwd: agent.dir,
    env: agent.env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const over = once(child, "close");
  while (!existsSync(path.join(agent.dir, "../stopping"))) await pause(20);
  child.kill("SIGINT");
  const [, signal] = await over;
  expect([signal, said]).toEqual(["SIGINT", expect.stringContaining("Interrupted")]);
  // Nothing waits for a recovery, and the command that was to stop the agent stops nothing any more.
  expect(observe(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
  expect((await told(agent, "recover")).recovered).toEqual([]);
  expect(agent.events()).toEqual(["started 1.1.0"]);
});

test("killed in the middle, the next command brings all back, and the agent runs", async () => {
  const agent = await agentStoppedBy("touch ../stopping; while ! test -e ../go; do sleep 0.02; done");
  const before = observe(agent);
  await cutShort(agent, "SIGKILL");
  const { recovered } = await told(agent, "recover");
  expect(recovered).toMatchObject([{ kind: "rollback", outcome: "undone" }]);
  expect(observe(agent)).toEqual(before);
  expect(agent.events()).toEqual(["started 1.1.0"]);
  expect(leftovers(agent)).toEqual([]);
});

test("a create at the same time waits, and goes on from what the rollback made", async () => {
  const agent = await agentStoppedBy("touch ../stopping; while ! test -e ../go; do sleep 0.02; done");
  const rolling = agent.kai("rollback", "1.0.0", "--json");
  while (!existsSync(path.join(agent.dir, "../stopping"))) await pause(20);
  const creating = agent.kai("create", "--as", "1.2.0", "--allow-unchanged", "--json");
  agent.write("../go", "");
  const [rolled, created] = await Promise.all([rolling, creating]);
  expect([rolled.exit, rolled.json().version]).toEqual([0, "1.0.0"]);
  expect([created.exit, created.json().parent]).toEqual([0, "1.0.0"]);
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
});

test("with --force what was changed is saved, and comes back from the backup", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0");
  agent.write("logic.py", "mine\n");
  expect(await refused(agent, "rollback", "0.9.0")).toMatchObject({ code: "E102" });
  // Of a version that is withdrawn no file is moved.
  expect((await told(agent, "undo", "--dry-run")).plan.risks).not.toContainEqual(
    expect.objectContaining({ kind: "dirty_files" }),
  );
  const back = await told(agent, "rollback", "0.9.0", "--force");
  expect(agent.git("cat-file", "blob", `${back.backup}:logic.py`)).toBe("mine");
});
