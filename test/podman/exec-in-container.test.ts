import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { has } from "../../src/podman/capabilities.js";
import { readGroupFile } from "../../src/podman/container-group.js";
import { EXEC_MARK, endExec } from "../../src/podman/end-exec.js";
import { stopContainer } from "../../src/podman/stop-container.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { type IdlePlan, idleSandbox, type Sandbox } from "./sandbox.js";

const cache = sharedCache();

/** A container, and commands in it by podman, as where its runtime cannot be asked. */
async function byPodman(more: Partial<IdlePlan> = {}): Promise<Sandbox> {
  const sandbox = await idleSandbox(cache, more);
  return { ...sandbox, sh: (script, asked) => sandbox.sh(script, { folder: undefined, ...asked }) };
}

const byRuntime = (more: Partial<IdlePlan> = {}): Promise<Sandbox> => idleSandbox(cache, more);

describe.each([
  ["podman", byPodman],
  ["its runtime", byRuntime],
])("by %s", (_, sandbox) => {
  test("a container idles, and commands go into it one after the other over the same files", async () => {
    const { sh, folder } = await sandbox();
    expect(await sh("echo one > a.txt; id -u; pwd; echo seen >&2; exit 3")).toMatchObject({
      exitCode: 3,
      timedOut: false,
    });
    const second = await sh("cat a.txt");
    expect(second.stdout.toString()).toBe("one\n");
    expect(readFileSync(path.join(folder, "upper", "a.txt"), "utf8")).toBe("one\n");
  });

  test("an execution has its own folder, user, variables and input", async () => {
    const { sh } = await sandbox();
    const result = await sh('pwd; id -u; echo "$A $TOKEN"; cat', {
      workdir: "/tmp",
      user: { uid: 7, gid: 7 },
      env: { A: "b c" },
      secrets: { TOKEN: "two\nlines" },
      stdin: Readable.from(["given"]),
    });
    expect(result.stdout.toString()).toBe("/tmp\n7\nb c two\nlines\ngiven");
  });

  test("a secret is in no list of processes, and none is taken for podman's own variable", async () => {
    const { sh, folder } = await sandbox();
    const value = `hidden-${process.pid}`;
    const waiting = "echo $TOKEN; : > begun; until [ -e seen ]; do sleep 0.1; done";
    const running = sh(waiting, { secrets: { TOKEN: value } });
    await expect.poll(() => existsSync(path.join(folder, "upper", "begun")), { timeout: 30_000 }).toBe(true);
    const lines = execFileSync("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; true"], { maxBuffer: 1 << 26 });
    await sh(": > seen");
    expect((await running).stdout.toString()).toBe(`${value}\n`);
    expect(lines.toString("latin1")).toContain("until [ -e seen ]");
    expect(lines.toString("latin1")).not.toContain(value);
    for (const name of ["PATH", "CONTAINERS_CONF", "LD_PRELOAD"]) {
      await expect(sh("true", { secrets: { [name]: "x" } })).rejects.toMatchObject({
        code: "E103",
        message: expect.stringContaining(name),
      });
    }
    expect((await sh("echo $GOOGLE_API_KEY", { secrets: { GOOGLE_API_KEY: "k" } })).stdout.toString()).toBe("k\n");
  });

  test("after its time nothing is left of an execution, of others everything", async () => {
    const { sh, container } = await sandbox();
    await sh("setsid sleep 1001 >/dev/null 2>&1 &");
    const hiding = "trap '' TERM; setsid env -i sleep 1002 & sleep 1003 & (sleep 1004 &); echo begun; wait";
    const result = await sh(hiding, { timeoutMs: 2000 });
    expect(result).toMatchObject({ timedOut: true, exitCode: 137 });
    expect(result.stdout.toString()).toBe("begun\n");
    const left = await sh("for each in /proc/[0-9]*; do tr '\\0' ' ' < $each/cmdline; echo; done");
    expect(left.stdout.toString().match(/sleep \d+/g)).toEqual(["sleep 1001"]);
    expect(container.process).toMatch(/:\d+:/);
  });

  test("a container that does not run is E103, a program that is not there 127", async () => {
    const { sh, env, plan, container } = await sandbox();
    expect(await sh("", { command: ["/no/such/program"] })).toMatchObject({ exitCode: 127 });
    await stopContainer(plan.name, 5000, env);
    expect(container.name).toBe(plan.name);
    await expect(sh("true")).rejects.toMatchObject({ code: "E103" });
  });

  test("a command that cannot begin is an error, and not one of its own", async () => {
    const limits = { cpus: 1, memoryBytes: 128 << 20, pids: 24, seconds: 0 };
    const { sh, host, container } = await sandbox({ limits });
    await expect(sh("true", { workdir: "/nope" })).rejects.toMatchObject({
      code: "E122",
      message: "The folder /nope is not there in the sandbox.",
    });
    if (!has(host, "pids")) return;
    // Takes every place that there is, and any that becomes free.
    const fill = [
      "import os, time",
      "while True:",
      "  try:",
      "    if os.fork() == 0: time.sleep(300)",
      "  except OSError: time.sleep(0.01)",
    ].join("\n");
    await sh("", { command: ["/bin/sh", "-c", 'python3 -c "$1" >/dev/null 2>&1 &', "sh", fill] });
    const running = { controller: "pids", first: "pids.current", second: "pids.current" };
    await expect.poll(() => Number(readGroupFile(container, running)), { timeout: 30_000 }).toBe(24);
    // The runtime enters beyond the limit; what it then has to start itself fails, mostly at once.
    const refused = () =>
      sh("true").then(
        () => undefined,
        (cause: unknown) => cause,
      );
    await expect.poll(refused, { timeout: 30_000 }).toMatchObject({
      code: "E103",
      message: expect.stringMatching(/^No further command can begin in the sandbox: \d+ of the 24 processes/),
    });
  });

  test("a command whose output nobody reads is ended", async () => {
    const { sh } = await sandbox();
    const unread = new AbortController();
    const onChunk = () => void unread.abort();
    expect(await sh("sleep 1001 & exec yes", { onChunk, unread: unread.signal })).toMatchObject({ exitCode: 141 });
    expect((await sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).stdout.toString()).not.toMatch(/sleep 1001|yes/);
  });

  test("an execution is told what was used while it lasted, not what had been before", async () => {
    const { sh, host } = await sandbox();
    if (!has(host, "memory")) return;
    const busy = "import time\nheld = b'x' * 60_000_000\nwhile time.process_time() < 0.5: pass";
    const first = await sh("", { command: ["python3", "-c", busy] });
    expect(first.usage.cpuMs).toBeGreaterThanOrEqual(450);
    expect(first.usage.peakMemory).toBeGreaterThan(60_000_000);
    const second = await sh("true");
    expect(second.usage.cpuMs).toBeLessThan(450);
    // As far as the kernel lets it begin anew.
    expect(second.usage.peakMemory ?? 0).toBeLessThan(60_000_000);
    expect((await sh("true", { alone: false })).usage.peakMemory ?? 0).toBeLessThan(60_000_000);
  });
});

test("an execution that was left by whoever was killed is ended later, by its mark", async () => {
  const { sh, container, env } = await idleSandbox(cache);
  const left = ["--env", `${EXEC_MARK}=left`, container.name, "/bin/sh", "-c", "echo begun; sleep 1001"];
  const client = spawn("podman", ["exec", ...left], { env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => client.stdout.once("data", resolve));
  client.kill("SIGKILL");
  const running = () => sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").then(({ stdout }) => stdout.toString());
  expect(await running()).toContain("sleep 1001");
  expect(await endExec(container, "another", Number.POSITIVE_INFINITY, env)).toBe(true);
  expect(await running()).toContain("sleep 1001");
  expect(await endExec(container, "left", Number.POSITIVE_INFINITY, env)).toBe(true);
  expect(await running()).not.toContain("sleep 1001");
});

test("what podman needs around a command is none of its duration", async () => {
  const { sh, env, folder } = await byPodman();
  const podman = execFileSync("sh", ["-c", "command -v podman"], { env, encoding: "utf8" }).trim();
  const slow = `#!/bin/sh\nsleep 3\n${podman} "$@"\nstatus=$?\nsleep 10\nexit $status\n`;
  writeFileSync(path.join(folder, "podman"), slow, { mode: 0o755 });
  const before = performance.now();
  const ran = await sh("sleep 0.5; exit 3", { env: { ...env, PATH: `${folder}:${env["PATH"]}` } });
  expect(ran.exitCode).toBe(3);
  expect(ran.durationMs).toBeGreaterThan(450);
  // Of the 13 seconds that podman takes, 8 at least are not counted, however busy the machine is.
  expect(ran.durationMs).toBeLessThan(performance.now() - before - 8000);
});

test("a container that is removed under a command is E103, without podman's own words; a command's like them are its output", async () => {
  const { sh, env, folder, container } = await byPodman();
  const words = "Error: container has already been removed";
  const script = `echo before >&2; echo '${words}' >&2; exit 255`;
  const own = await sh(script);
  expect([own.exitCode, own.stderr.toString()]).toEqual([255, `before\n${words}\n`]);
  const podman = execFileSync("sh", ["-c", "command -v podman"], { encoding: "utf8" }).trim();
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  const remove = `${podman} rm --force --time 0 ${container.name} >/dev/null 2>&1`;
  const lines = ["#!/bin/sh", `${podman} "$@"`, remove, `echo '${words}' >&2`, "exit 255"];
  writeFileSync(path.join(bin, "podman"), lines.join("\n"), { mode: 0o755 });
  let printed = "";
  const asked = {
    env: { ...env, PATH: `${bin}:${env["PATH"]}` },
    onChunk: (_: string, chunk: Buffer) => {
      printed += chunk.toString();
      return undefined;
    },
  };
  await expect(sh("echo before >&2", asked)).rejects.toMatchObject({
    code: "E103",
    message: `The sandbox ${container.name} does not run.`,
  });
  expect(printed).toBe("before\n");
});
