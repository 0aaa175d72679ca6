import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { shellsIn } from "../../src/podman/shell-in-container.js";
import { startAgent, stopAgent } from "../../src/system/agent-process.js";
import { runShell } from "../../src/system/shell.js";
import { endOf } from "../../src/system/start-shell.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();
const TIMES = { timeoutMs: 60_000, graceMs: 500 };

/** Shells in a container whose /app a folder of this host, which is not there, stands for. */
async function shells() {
  const { container, env, folder } = await idleSandbox(cache);
  const outside = path.join(folder, "outside");
  mkdirSync(outside);
  const pathInside = (name: string) => path.join("/app", path.relative(outside, name));
  const startShell = shellsIn(container, { pathInside, env });
  return { startShell, outside, env, upper: path.join(folder, "upper") };
}

test("a shell runs in the folder that stands for its own, with its variables, and no list of processes shows them", async () => {
  const { startShell, outside, env } = await shells();
  const own = { ...env, TOKEN: "two\nlines", LC_ALL: "C.UTF-8", "not-a-name": "x" };
  const run = 'pwd; echo "$TOKEN $LC_ALL $HOME"; echo seen >&2; cat /proc/1/cmdline | tr "\\0" " "; exit 3';
  const ran = await runShell({ run, cwd: path.join(outside, "."), env: own, ...TIMES, startShell });
  expect(ran).toMatchObject({ exitCode: 3, timedOut: false, problem: null });
  expect(ran.output).toBe(`/app\ntwo\nlines C.UTF-8 ${env["HOME"]}\nseen\n/.kai-init -P `);
});

test("its end is that of all of its process group, by SIGTERM or else SIGKILL, and of nothing in a session of its own", async () => {
  const { startShell, outside, env } = await shells();
  const endOnce = async (run: string, graceMs: number) => {
    const shell = startShell([run], { cwd: outside, env, stdio: ["ignore", "pipe", "ignore"] });
    const ended = endOf(shell.child);
    let said = "";
    while (!said.includes("begun")) said += String(await once(shell.child.stdout ?? process.stdin, "data"));
    await shell.end(graceMs);
    return (await ended).exitCode;
  };
  const waits = "echo begun; while :; do sleep 0.05; done";
  expect(
    await endOnce(`setsid sleep 1001 & until pgrep -x sleep; do :; done; trap "exit 7" TERM; ${waits}`, 60_000),
  ).toBe(7);
  expect(await endOnce(`trap "" TERM; ${waits}`, 100)).toBe(137);
  const asked = {
    run: "ps -eo args | grep -c '^sleep 1001$'; pgrep -c -f 'echo begun'",
    cwd: outside,
    env,
    startShell,
  };
  expect((await runShell({ ...asked, ...TIMES })).output).toBe("1\n1\n");
});

test("an abort ends it at once, also before it has begun", async () => {
  const { startShell, outside, env } = await shells();
  const run = { run: "trap '' TERM; sleep 1002", cwd: outside, env, ...TIMES, startShell };
  const ran = await runShell({ ...run, cancelled: AbortSignal.abort() });
  expect([ran.timedOut, ran.exitCode === 0]).toEqual([false, false]);
});

test("the memory that is seen is the command's, not that of who carries it into the container", async () => {
  const { startShell, outside, env } = await shells();
  const run = "python3 -c 'import time; held = bytearray(80_000_000); time.sleep(3)'; true";
  const { peakMemory } = await runShell({ run, cwd: outside, env, ...TIMES, startShell, observed: true });
  expect(peakMemory).toBeGreaterThan(80_000_000);
  const small = await runShell({ run: "sleep 2; true", cwd: outside, env, ...TIMES, startShell, observed: true });
  expect(small.peakMemory).toBeLessThan(20_000_000);
});

test("an agent that is started lives on behind its command, writes to its log, and is found and stopped by its mark", async () => {
  const { startShell, outside, env, upper } = await shells();
  const agent = `test/${process.pid}`;
  const log = path.join(outside, "agent.log");
  const run = "sh -c 'while :; do echo lives; sleep 0.05; done' & echo begun";
  const command = { run, cwd: outside, env: {}, timeoutMs: 20_000, agent, log, health: null };
  expect(await startAgent(command, { env, startShell })).toMatchObject({ ok: true, exitCode: 0 });
  const lines = () => readFileSync(path.join(upper, "agent.log"), "utf8").split("\n").length;
  const before = lines();
  await expect.poll(lines, { timeout: 30_000 }).toBeGreaterThan(before + 2);
  expect(await stopAgent(null, agent, { env, startShell })).toMatchObject({ ok: true, forced: "SIGTERM" });
});
