import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findProcess } from "../../src/system/live-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { cutShort, HEALTH, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** An agent of two versions with these commands. */
async function agentOfTwo(lifecycle: string): Promise<LiveAgent> {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(lifecycle) });
  await agent.version("1.1.0");
  return agent;
}

const WAITS = "stop: {run: 'touch ../stopping; while ! test -e ../go; do sleep 0.02; done; exit 3', timeout: 50s}";
/** It runs, and is ill. */
const ILL = `start: {run: exec ./run.sh, timeout: 2s}\nhealth: {run: "echo 'ill: v 3'; exit 9", timeout: 5s, retries: 0}`;

test("interrupted while it stops an agent that others started, it starts no second one beside it", async () => {
  const agent = await agentOfTwo(`${WAITS}\n${START}`);
  agent.startByHand();
  await cutShort(agent, "SIGTERM");
  expect([agent.events(), await agent.running()]).toEqual([[], 0]);
  expect((await told(agent, "recover")).recovered).toEqual([]);
});

test("killed while it stops an agent that others started, recover starts no second one beside it", async () => {
  const agent = await agentOfTwo(`${WAITS}\n${START}`);
  const id = agent.startByHand();
  await cutShort(agent, "SIGKILL");
  const { stdout } = await agent.kai("recover");
  expect(stdout).toContain("! It was not started again, because it runs on, or may: ");
  expect(stdout).toContain(`works node (process ${id})`);
  expect(stdout).not.toContain("the agent runs");
  expect([agent.events(), await agent.running()]).toEqual([[], 0]);
});

test("an agent whose health passes before and after was not stopped, wherever it works", async () => {
  const agent = await agentOfTwo(`stop: {run: exit 3}\n${START}\nhealth: {run: test -e ../up, retries: 0}`);
  agent.write("../up", "");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.hint).toContain("It was not started again, because it runs on, or may: its health passes.");
  expect([agent.events(), await agent.running()]).toEqual([[], 0]);
});

test("an agent that was ill before runs again as it was where its rollback fails", async () => {
  const agent = await agentOfTwo(`${ILL}\nmigrate: {run: exit 3}`);
  await startOf(agent);
  const error = await refused(agent, "rollback", "1.0.0", "--keep-state");
  expect(error.message).toContain("restore_data failed");
  expect(error.hint).not.toContain("does not run");
  expect([agent.events(), (await agent.running()) > 0]).toEqual([["ended by hand", "started 1.1.0"], true]);
});

test("one that nothing spoke for is started all the same where its rollback fails, and that is said", async () => {
  const agent = await agentOfTwo(
    `stop: {run: "true"}\n${START}\nhealth: {run: test -e ../up, retries: 0}\nmigrate: {run: exit 3}`,
  );
  const error = await refused(agent, "rollback", "1.0.0", "--keep-state");
  expect(error.hint).toContain("Nothing spoke for it that an agent ran before; one was started");
  expect(await agent.running()).toBeGreaterThan(0);
});

test("an agent that was ill before runs again as it was where recover ends the rollback that was killed", async () => {
  const agent = await agentOfTwo(`${WAITS}\n${ILL}`);
  await startOf(agent);
  await cutShort(agent, "SIGKILL");
  const { recovered } = await told(agent, "recover");
  expect(recovered).toMatchObject([{ outcome: "undone", agent: { ok: true, runsOn: null } }]);
  expect(await agent.running()).toBeGreaterThan(0);
});

test("a stop command that outlives its rollback is ended by recover, and ends nothing that this starts", async () => {
  const goesOn = "echo $$ > ../id; touch ../stopping; while :; do sleep 0.02; done";
  const agent = await agentOfTwo(`stop: {run: '${goesOn}', timeout: 50s}\n${START}`);
  await startOf(agent);
  await cutShort(agent, "SIGKILL");
  const id = Number(agent.read("../id"));
  expect(await findProcess(id)).toBeDefined();
  const { recovered } = await told(agent, "recover");
  expect(recovered).toMatchObject([{ outcome: "undone", agent: { ok: true } }]);
  expect(await findProcess(id)).toBeUndefined();
  expect(await agent.running()).toBeGreaterThan(0);
});

test("where what comes into force is ill, it is said that no agent runs", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(`${START}\n${HEALTH}`) });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(ILL) });
  await told(agent, "rollback", "1.0.0");
  const error = await refused(agent, "undo");
  expect(error).toMatchObject({
    code: "E127",
    message: expect.stringContaining("ill: v 3. No agent of 1.1.0 was left running"),
  });
  expect(await agent.running()).toBe(0);
});

const NODE = `"${process.execPath}"`;
/** A program that nobody knows as a tool. */
const READER = `${NODE} -e 'process.stdin.pipe(process.stdout)'`;
const BACK = `${NODE} "${PROGRAM}" rollback 1.0.0 --json`;

async function printedBy({ dir, env }: LiveAgent, line: string) {
  const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: dir, env });
  return JSON.parse(stdout);
}

test("what its output is piped into, through tools too, works in its folder and is not the agent", async () => {
  const agent = await agentOfTwo(`stop: {run: exit 3}\n${START}`);
  expect(await printedBy(agent, `${BACK} 2>&1 | tee ../log | ${READER} | cat`)).toMatchObject({ ok: true });
  expect(agent.events()).toEqual(["started 1.0.0"]);
});

test("what prints into the same pipe as a rollback may be the agent", async () => {
  const agent = await agentOfTwo(`stop: {run: exit 3}\n${START}`);
  const byHand = `${NODE} -e 'setTimeout(() => {}, 60000)'`;
  const { error } = await printedBy(agent, `{ ${byHand} & ${BACK} 2>&1; kill $!; } | ${READER}`);
  expect([error.code, error.message]).toEqual(["E126", expect.stringContaining("works node")]);
  expect([agent.events(), await agent.running()]).toEqual([[], 0]);
});

/** Has it run as its start command would, marked. */
async function startOf(agent: LiveAgent): Promise<void> {
  const KAI_AGENT = agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir);
  const env = { ...agent.env, KAI_AGENT, KAI_VERSION: "by hand" };
  spawn("sh", ["run.sh"], { cwd: agent.dir, env, stdio: "ignore", detached: true }).unref();
  const events = path.join(agent.dir, "../events");
  // The file is there before its first line is.
  while (!existsSync(events) || readFileSync(events, "utf8") === "") await pause(20);
  expect(readFileSync(events, "utf8")).toBe("started by hand\n");
  agent.events();
}
