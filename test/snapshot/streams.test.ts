import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { baseImage } from "./base-image.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** What a shell makes of `line`, in which `snapshot` is ours. */
const shell = (agent: SnapshotAgent, line: string) =>
  agent.run("bash", [
    "-o",
    "pipefail",
    "-c",
    `snapshot() { "${process.execPath}" "${PROGRAM}" snapshot "$@"; }; ${line}`,
  ]);

/** Puts a program in the place of podman that notes what it is asked to execute, and gives that. */
function recordPodman({ dir, env }: SnapshotAgent): () => string[] {
  const bin = path.join(path.dirname(dir), "noting");
  const notes = path.join(bin, "notes");
  mkdirSync(bin);
  const real = execFileSync("sh", ["-c", "command -v podman"], { env, encoding: "utf8" }).trim();
  writeFileSync(
    path.join(bin, "podman"),
    `#!/bin/sh\nfor a; do [ "$a" = exec ] && echo "$*" | tr '\\n' ' ' >>'${notes}' && echo >>'${notes}' && break; done\nexec '${real}' "$@"\n`,
    { mode: 0o755 },
  );
  env["PATH"] = `${bin}:${env["PATH"]}`;
  return () => readFileSync(notes, "utf8").split("\n").filter(Boolean);
}

test("a reader that has enough ends the command, which is kept as a run, and the snapshot goes on", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  expect(await shell(agent, `snapshot exec ${id} -- yes | head -1`)).toMatchObject({ stdout: "y\n", exit: 141 });
  expect(await agent.made("logs", id)).toMatchObject({ executions: [{ exitCode: 141, command: ["yes"] }] });
  const logs = path.join(agent.dir, ".git", "kai", "snapshots", id, "logs");
  const [log = ""] = readdirSync(logs).filter((name) => name.endsWith(".stdout"));
  const whole = await shell(agent, `snapshot logs ${id} | wc -c`);
  expect(whole.stderr).toBe("");
  truncateSync(path.join(logs, log), 256 * 1024 * 1024);
  expect(await shell(agent, `snapshot logs ${id} | wc -c`)).toMatchObject({
    stdout: `${256 * 1024 * 1024}\n`,
    stderr: "Warning: Only the first 256 MiB of its stdout are kept.\n",
  });
  expect(await agent.made("exec", id, "--", "sh", "-c", "cat /proc/[0-9]*/comm")).toMatchObject({
    stdout: expect.not.stringContaining("yes"),
  });
  expect(await shell(agent, "snapshot run 1.1.0 -- yes | head -1")).toMatchObject({ stdout: "y\n", exit: 141 });
  expect(agent.git("log", "-1", "--format=%B", "refs/kai/runs")).toContain('"exitCode":141');
});

/** Has a command's output read by nobody, although somebody could, until it has ended or `ms` are over; gives what became of it. */
async function unread(agent: SnapshotAgent, args: readonly string[], { signalAfterMs }: { signalAfterMs?: number }) {
  const child = spawn(process.execPath, [PROGRAM, "snapshot", ...args], {
    cwd: agent.dir,
    env: agent.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<unknown>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code));
  });
  if (signalAfterMs !== undefined) {
    await pause(signalAfterMs);
    child.kill("SIGTERM");
  }
  return { child, ended };
}

test.each([["exec"], ["run"]])("a reader that does not read holds up neither clock nor signal: %s", async (verb) => {
  const agent = await snapshotAgent();
  const where = verb === "run" ? "1.1.0" : (await agent.made("create", "1.1.0")).id;
  const word = `unread-${process.pid}`;
  const terminated = await unread(agent, [verb, where, "--", "yes", word], { signalAfterMs: 3000 });
  expect(await terminated.ended).toBe("SIGTERM");
  const { child, ended } = await unread(agent, [verb, where, "--timeout", "2s", "--", "yes", word], {});
  // What runs is gone in its time, and what it printed, some megabytes, waits for its reader.
  const runs = () => execFileSync("sh", ["-c", 'pgrep -fx "yes $0" || true', word], { encoding: "utf8" }).trim();
  await expect.poll(runs, { timeout: 15_000 }).not.toBe("");
  await expect.poll(runs, { timeout: 15_000 }).toBe("");
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
  expect(rss).toBeLessThan(250_000);
  child.stdout.resume();
  expect(await ended).toBe(137);
});

test("an output that cannot be written ends the command and says so", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const full = await shell(agent, `snapshot exec ${id} -- yes >/dev/full`);
  expect(full.stderr).toMatch(/^Error E118: The output could not be written: ENOSPC/);
  expect(full.exit).toBe(1);
  expect(await agent.made("exec", id, "--", "sh", "-c", "cat /proc/[0-9]*/comm")).toMatchObject({
    stdout: expect.not.stringContaining("yes"),
  });
  expect((await shell(agent, `snapshot exec ${id} -- echo hi >/dev/full`)).exit).not.toBe(0);
});

test("a command reads what it is given", async () => {
  const agent = await snapshotAgent({ network: { mode: "isolated", allowed_hosts: ["example.com"] } });
  const { id } = await agent.made("create", "1.1.0");
  const given = "printf 'one\\ntwo\\n'";
  for (const line of [`exec ${id} --`, "run 1.1.0 --", "run 1.1.0 --network none --"])
    expect(await shell(agent, `${given} | snapshot ${line} cat`), line).toMatchObject({
      stdout: "one\ntwo\n",
      exit: 0,
    });
});

test("in an image without a shell a command begins at once, and reads all that it is given", async () => {
  const { name } = await baseImage({}, ["sh"]);
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0", "--image", name);
  const calls = recordPodman(agent);
  const given = (line: string) => shell(agent, `${line} | snapshot exec ${id} -- cat`);
  expect(await given("printf 'one\\ntwo\\n'")).toMatchObject({ stdout: "one\ntwo\n", exit: 0 });
  const much = await given("head -c 300000 /dev/zero | tr '\\0' x");
  expect([much.stdout.length, much.exit]).toEqual([300_000, 0]);
  expect(calls()).toHaveLength(2);
});

test("a command that reads nothing ends, though nobody ends what it is given", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  for (const args of [
    ["exec", id],
    ["run", "1.1.0"],
  ]) {
    const child = spawn(process.execPath, [PROGRAM, "snapshot", ...args, "--", "echo", "done"], {
      cwd: agent.dir,
      env: agent.env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    expect([await text(child.stdout), await ended]).toEqual(["done\n", 0]);
  }
});
