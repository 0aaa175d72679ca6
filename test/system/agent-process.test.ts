import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import type { AgentCommand, StartCommand } from "../../src/system/agent-command.js";
import { checkHealth, runAgentCommand, startAgent, stopAgent } from "../../src/system/agent-process.js";
import { listMarked } from "../../src/system/marked-processes.js";
import { scratch } from "../support/scratch.js";

/** An agent's folder, and a name that no other test's processes are marked with. */
function place() {
  const { dir, env } = scratch();
  const agent = `test/${path.basename(path.dirname(dir))}`;
  onTestFinished(async () => {
    await stopAgent(null, agent, { env, graceMs: 0 });
  });
  const command = (run: string, more: Partial<AgentCommand> = {}): AgentCommand => ({
    run,
    cwd: dir,
    timeoutMs: 30_000,
    env: {},
    ...more,
  });
  const starting = (run: string, more: Partial<StartCommand> = {}): StartCommand => ({
    ...command(run),
    agent,
    log: path.join(dir, "agent.log"),
    health: null,
    ...more,
  });
  const health = (run: string, retries: number, timeoutMs = 5000) => ({ ...command(run, { timeoutMs }), retries });
  const running = async () => (await listMarked(agent)).map(({ name }) => name).sort();
  const read = (name: string) => readFileSync(path.join(dir, name), "utf8");
  return { dir, env, agent, context: { env, graceMs: 200 }, command, starting, health, running, read };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}

const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

test("a command's output is kept as it was written, told as it comes, and its end is said", async () => {
  const { command, context } = place();
  const told: string[] = [];
  const run = "echo one; echo two >&2; printf 'th'; echo ree; echo no such model >&2; exit 3";
  const outcome = await runAgentCommand(command(run), { ...context, onOutput: (text) => told.push(text) });
  expect(outcome).toMatchObject({
    ok: false,
    exitCode: 3,
    signal: null,
    timedOut: false,
    output: "one\ntwo\nthree\nno such model\n",
    dropped: 0,
    error: "It ended with status 3: no such model",
  });
  expect(told.join("")).toBe(outcome.output);
  expect(await runAgentCommand(command("true"), context)).toMatchObject({ ok: true, exitCode: 0, error: null });
});

test("of much output the last 64 KiB are kept and the rest is counted, between characters", async () => {
  const { command, context } = place();
  let told = 0;
  const run = "yes 'größer' | head -n 100000; echo end";
  const onOutput = (text: string) => {
    told += Buffer.byteLength(text);
  };
  const { output, dropped } = await runAgentCommand(command(run), { ...context, onOutput });
  const size = Buffer.byteLength("größer\n") * 100_000 + 4;
  expect(Buffer.byteLength(output) + dropped).toBe(size);
  expect(Buffer.byteLength(output)).toBeGreaterThan(65_530);
  expect(Buffer.byteLength(output)).toBeLessThanOrEqual(65_536);
  expect(output).toMatch(/größer\nend\n$/);
  expect(output).not.toContain("\ufffd");
  expect(told).toBe(size);
});

test("a command gets what the agent needs of the environment, and no key", async () => {
  const { command, env } = place();
  const given = {
    ...env,
    MODEL_API_KEY: "for the agent",
    KAI_SIGNING_KEY: "secret",
    KAI_KEY_PASSPHRASE: "secret",
    GPG_PASSPHRASE: "secret",
    OTHER: "-----BEGIN PGP PRIVATE KEY BLOCK-----\nsecret",
    SSH_AUTH_SOCK: "/secret",
    GIT_DIR: "/secret",
    KAI_FROM: "of another operation",
  };
  const { output } = await runAgentCommand(command("env", { env: { KAI_TO: "1.2.0" } }), { env: given });
  expect(output).toContain("MODEL_API_KEY=for the agent\n");
  expect(output).toContain("KAI_TO=1.2.0\n");
  expect(output).not.toMatch(/secret|another|GIT_/);
});

test("out of time, all of its process group is ended, also what ignores SIGTERM", async () => {
  const { command, context, read } = place();
  const stubborn =
    "trap '' TERM; sh -c 'echo $$ > child; while :; do sleep 0.1; done' & wait; while :; do sleep 0.1; done";
  const outcome = await runAgentCommand(command(stubborn, { timeoutMs: 1000 }), { ...context, graceMs: 100 });
  expect(outcome).toMatchObject({ ok: false, timedOut: true, error: "It was not done after 1 s and was ended." });
  await until(() => !isRunning(Number(read("child"))));
});

test("a child left in the background is neither waited for nor ended", async () => {
  const { command, context } = place();
  const { output, ok } = await runAgentCommand(command("sleep 1000 & echo $!"), context);
  const child = Number(output);
  onTestFinished(() => void process.kill(child, "SIGKILL"));
  expect([ok, isRunning(child)]).toEqual([true, true]);
});

test("a command that cannot be started is an outcome, not an exception", async () => {
  const { dir, command, starting, context } = place();
  const cwd = path.join(dir, "nowhere");
  const error = `It could not be started: the folder ${cwd} is not there.`;
  expect(await runAgentCommand(command("true", { cwd }), context)).toMatchObject({ ok: false, error });
  expect(await startAgent(starting("true", { cwd }), context)).toMatchObject({ ok: false, error });
  const long = { env: { LONG: "x".repeat(1 << 20) } };
  expect(await runAgentCommand(command("true", long), context)).toMatchObject({
    ok: false,
    error: expect.stringContaining("E2BIG"),
  });
  expect(await startAgent(starting("true\0"), context)).toMatchObject({
    ok: false,
    error: expect.stringContaining("could not be started"),
  });
});

test("an agent whose log cannot be opened is started all the same, and that is said", async () => {
  const { dir, starting, context } = place();
  const log = path.join(dir, "nowhere", "agent.log");
  const started = await startAgent(starting("echo unheard; exec sleep 100", { log }), context);
  expect(started).toMatchObject({
    ok: true,
    output: expect.stringMatching(/^What it prints is lost, as its log could not be opened: ENOENT.*\n$/),
  });
  expect(await listMarked(starting("").agent)).toHaveLength(1);
});

test("health is asked for again until it passes, and how often it did not is said", async () => {
  const { health, context } = place();
  const third = "echo x >> tries; echo loading; [ $(wc -l < tries) -ge 3 ]";
  expect(await checkHealth(health(third, 5), context)).toMatchObject({ ok: true, tries: 3, failures: 2 });
  expect(await checkHealth(health("echo no model; exit 1", 1), context)).toMatchObject({
    ok: false,
    tries: 2,
    failures: 2,
    error: "It is not well: its health was asked for 2 times. It ended with status 1: no model",
  });
});

test("an agent is started once, waited for until it is well, and stopped by SIGTERM", async () => {
  const { agent, starting, health, context, running, read } = place();
  const server =
    "trap 'echo bye > parting; exit' TERM; echo $$ >> starts; sleep 0.3; touch ready; while :; do sleep 0.05; done";
  const start = starting(`echo loading; ${server}`, { health: health("test -e ready", 50) });
  const told: string[] = [];
  const first = await startAgent(start, { ...context, onOutput: (text) => told.push(text) });
  expect(first).toMatchObject({ ok: true, exitCode: null, output: "loading\n", error: null });
  expect(told.join("")).toBe("loading\n");
  expect(await startAgent(start, context)).toMatchObject({ ok: true, output: "" });
  expect(read("starts").trim().split("\n")).toHaveLength(1);

  expect(await stopAgent(null, agent, { ...context, graceMs: 20_000 })).toMatchObject({ ok: true, forced: "SIGTERM" });
  expect([await running(), read("parting")]).toEqual([[], "bye\n"]);
  expect(await stopAgent(null, agent, context)).toMatchObject({ ok: true, forced: null });
});

test("one that runs and is not well any more is stopped and started anew", async () => {
  const { dir, starting, health, context, read } = place();
  const server = "echo $$ >> starts; touch ready; exec sleep 1000";
  const start = starting(server, { health: health("test -e ready", 50) });
  await startAgent(start, context);
  writeFileSync(path.join(dir, "ready"), "");
  await runAgentCommand({ ...start, run: "rm ready" }, context);
  expect(await startAgent(start, context)).toMatchObject({ ok: true });
  const [first, second] = read("starts").trim().split("\n").map(Number);
  expect([isRunning(first ?? 0), isRunning(second ?? 0)]).toEqual([false, true]);
});

test("a start that ends badly has failed at once, and says with which words", async () => {
  const { starting, health, context } = place();
  const start = starting("echo config.yaml:3: no such model >&2; exit 4", { health: health("exit 1", 1000) });
  expect(await startAgent(start, context)).toMatchObject({
    ok: false,
    exitCode: 4,
    timedOut: false,
    output: "config.yaml:3: no such model\n",
    error: "It ended with status 4: config.yaml:3: no such model",
  });
});

test("where it does not get well all that it started is ended, in whatever session", async () => {
  const { starting, health, context, running } = place();
  const forking = "setsid sh -c 'env -i sleep 1000 & trap \"\" TERM; while :; do sleep 0.05; done' & exec sleep 1000";
  const start = starting(forking, { health: health("echo ill; exit 1", 2) });
  const outcome = await startAgent(start, { ...context, graceMs: 100 });
  expect(outcome).toMatchObject({
    ok: false,
    timedOut: false,
    error: "It is not well: its health was asked for 3 times. It ended with status 1: ill",
  });
  expect(await running()).toEqual([]);
});

test("a health command that hangs is ended at each try, and the whole at the time of the start", async () => {
  const { starting, health, context, running } = place();
  const start = starting("exec sleep 1000", { timeoutMs: 1500, health: health("sleep 1000", 1000, 400) });
  const outcome = await startAgent(start, context);
  expect(outcome).toMatchObject({ ok: false, timedOut: true, error: expect.stringContaining("It is not well") });
  expect(await running()).toEqual([]);
});

test("who answered in its place before the start does not make it well", async () => {
  const { starting, health, context } = place();
  const start = starting("sleep 0.2; echo address in use; exit 1", { health: health("true", 5) });
  expect(await startAgent(start, context)).toMatchObject({
    ok: false,
    error: "It ended with status 1: address in use",
  });
});

test("a daemon that forked away twice is found, and ended although it ignores SIGTERM", async () => {
  const { agent, starting, context, running, read } = place();
  const daemon = 'trap "" TERM; echo $$ > daemon; while :; do sleep 0.05; done';
  const outcome = await startAgent(starting(`(setsid sh -c '${daemon}' &) ; true`), context);
  expect(outcome).toMatchObject({ ok: true, exitCode: 0 });
  await until(async () => (await running()).includes("sh"));
  expect(await stopAgent(null, agent, { ...context, graceMs: 100 })).toMatchObject({ ok: true, forced: "SIGKILL" });
  expect([await running(), isRunning(Number(read("daemon")))]).toEqual([[], false]);
});

test("a stop command is given its time: an agent that ends slowly by itself is not forced", async () => {
  const { agent, command, starting, context, running } = place();
  await startAgent(starting("until [ -e stop ]; do sleep 0.05; done; sleep 0.3"), context);
  expect(await stopAgent(command("touch stop"), agent, context)).toMatchObject({ ok: true, forced: null, exitCode: 0 });
  expect(await running()).toEqual([]);
});

test("a stop command that fails is said, although the agent is ended all the same", async () => {
  const { agent, command, starting, context, running } = place();
  await startAgent(starting("exec sleep 1000"), context);
  expect(await stopAgent(command("echo no bus; exit 5"), agent, context)).toMatchObject({
    ok: false,
    exitCode: 5,
    forced: "SIGTERM",
    error: "The command failed, although nothing that was started runs any more. It ended with status 5: no bus",
  });
  expect(await running()).toEqual([]);
});

const SOURCE = new URL("../../src/system/agent-process.ts", import.meta.url).pathname;

/** A program of our functions and these lines, as a file. */
async function programOf(dir: string, lines: string): Promise<string> {
  const outfile = path.join(dir, "program.mjs");
  const contents = `import { startAgent, stopAgent } from ${JSON.stringify(SOURCE)};\n${lines}`;
  await build({ stdin: { contents, resolveDir: dir }, outfile, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

test("what was started outlives us and our terminal, and has none of our descriptors", async () => {
  const { dir, env, agent, starting, context, running, read } = place();
  const start = starting("echo $$ > pid; trap 'touch hangup' HUP; while :; do sleep 0.05; done");
  const program = await programOf(
    dir,
    `const outcome = await startAgent(${JSON.stringify(start)}, { env: process.env });
    process.exit(outcome.ok ? 0 : 1);`,
  );
  const line = `exec 9>held; exec ${process.execPath} ${program}`;
  const options = { cwd: dir, env: { ...env, SHELL: "/bin/sh" }, stdio: "ignore" } as const;
  expect(await once(spawn("script", ["-qec", line, "/dev/null"], options), "close")).toEqual([0, null]);
  expect(await running()).toContain("sh");
  const pid = read("pid").trim();
  const open = readdirSync(`/proc/${pid}/fd`).map((each) => readlinkSync(`/proc/${pid}/fd/${each}`));
  expect(open.filter((file) => file.startsWith(dir) || file.startsWith("/dev/"))).toEqual([
    "/dev/null",
    start.log,
    start.log,
  ]);
  expect(existsSync(path.join(dir, "hangup"))).toBe(false);
  await stopAgent(null, agent, context);
});

test("an agent that calls this program itself is stopped, and the program is not", async () => {
  const { dir, agent, starting, context, read, running } = place();
  const program = await programOf(
    dir,
    `import { spawnSync } from "node:child_process";
    import { renameSync, writeFileSync } from "node:fs";
    const { ok, forced } = await stopAgent(null, ${JSON.stringify(agent)}, { env: process.env, graceMs: 500 });
    writeFileSync("aside", [ok, forced, spawnSync("true").status].join(" "));
    renameSync("aside", "outcome");`,
  );
  const waiting = `until [ -e go ]; do sleep 0.05; done; ${process.execPath} ${program}; exec sleep 1000`;
  expect((await startAgent(starting(waiting), context)).ok).toBe(true);
  writeFileSync(path.join(dir, "go"), "");
  await until(() => existsSync(path.join(dir, "outcome")));
  expect(read("outcome")).toBe("true SIGTERM 0");
  await until(async () => (await running()).length === 0);
});
