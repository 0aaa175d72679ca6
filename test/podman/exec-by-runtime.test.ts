import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { runPodman } from "../../src/podman/podman.js";
import { findRuntime } from "../../src/podman/runtime-of.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";
import { idleSandbox, type Sandbox } from "./sandbox.js";

const cache = sharedCache();

/** As a command sees itself: rights, limits, namespaces, control groups, variables, folder and streams. */
const CONFINEMENT = [
  "grep -E '^(Uid|Gid|Cap|NoNewPrivs|Seccomp|Umask|Threads|Sig(Blk|Ign))' /proc/self/status",
  "cat /proc/self/limits /proc/self/cgroup /proc/self/oom_score_adj",
  "for each in /proc/self/ns/*; do readlink $each; done",
  "env | sort",
  "pwd",
  "ls /proc/self/fd",
  "cat",
].join("; ");

async function byBothWays(sandbox: Sandbox, script: string): Promise<[string, string]> {
  const asked = { id: "same", workdir: "/tmp", env: { A: "b c", HOME: "/elsewhere" }, secrets: { TOKEN: "t" } };
  const [podman, runtime] = [
    await sandbox.sh(script, { ...asked, folder: undefined }),
    await sandbox.sh(script, asked),
  ];
  return [podman.stdout.toString(), runtime.stdout.toString()];
}

test("a command has the same confinement by the runtime as by podman", async () => {
  const sandbox = await idleSandbox(cache);
  expect(await findRuntime(sandbox.container)).toMatchObject({ user: { uid: 1000, gid: 1000 } });
  const [podman, runtime] = await byBothWays(sandbox, CONFINEMENT);
  expect(runtime).toBe(podman);
  expect(runtime).toMatch(/^NoNewPrivs:\t1$/m);
  expect(runtime).toMatch(/^Seccomp:\t2$/m);
  expect(runtime).toMatch(/^CapBnd:\t0+$/m);
});

test("so it has in a user namespace of its own, without a filter, and with a capability", async () => {
  const { plan } = await idleSandbox(cache);
  const sandbox = await idleSandbox(cache, {
    namespaces: ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"],
    security: { ...plan.security, seccompProfile: undefined, noNewPrivileges: false, capabilities: ["NET_RAW"] },
  });
  const [podman, runtime] = await byBothWays(sandbox, CONFINEMENT);
  expect(runtime).toBe(podman);
  expect(runtime).toMatch(/^Seccomp:\t0$/m);
  expect((await findRuntime(sandbox.container))?.user.uid).toBeGreaterThan(100_000);
  expect((await sandbox.sh("echo again > /dev/stdout; echo too > /dev/stderr")).stdout.toString()).toBe("again\n");
});

test("what a command leaves running holds nobody up, with its streams open too, and nothing of the output is lost", async () => {
  const { sh, folder } = await idleSandbox(cache);
  const before = readdirSync("/proc/self/fd").length;
  const left = "(sleep 1001; echo late) & head -c 60000 /dev/zero; echo last >&2; echo again > /dev/stdout; exit 7";
  const result = await sh(left, { timeoutMs: 60_000 });
  expect(result).toMatchObject({ exitCode: 7, timedOut: false });
  expect(result.stdout.length).toBe(60_000 + "again\n".length);
  expect(result.stderr.toString()).toBe("last\n");
  expect((await sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).stdout.toString()).toContain("sleep 1001");
  expect(readdirSync(folder).filter((name) => name.startsWith("pipe"))).toEqual([]);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});

test("a writer that never ends is left behind", async () => {
  const { sh } = await idleSandbox(cache);
  const result = await sh("yes & sleep 0.2; exit 5", { timeoutMs: 60_000 });
  expect(result).toMatchObject({ exitCode: 5, timedOut: false });
});

test("where it cannot begin podman tells why, and what would read is not begun twice", async () => {
  const { sh, container, env } = await idleSandbox(cache);
  const missing = { code: "E122", message: "The folder /nope is not there in the sandbox." };
  await expect(sh("true", { workdir: "/nope" })).rejects.toMatchObject(missing);
  await expect(sh("cat", { workdir: "/nope", stdin: Readable.from(["x"]) })).rejects.toMatchObject(missing);
  await runPodman(["pause", container.name], { env });
  const paused = { code: "E103", message: `The sandbox ${container.name} is paused, or ends.` };
  await expect(sh("true")).rejects.toMatchObject(paused);
  await expect(sh("cat", { stdin: Readable.from(["x"]) })).rejects.toMatchObject(paused);
  await runPodman(["unpause", container.name], { env });
  expect((await sh("cat", { stdin: Readable.from(["x"]) })).stdout.toString()).toBe("x");
});

/** A sandbox whose shell is a program of somebody who means no good. */
async function withShell(lines: readonly string[]): Promise<Sandbox & { log(): string }> {
  const { dir } = scratch();
  const shell = path.join(dir, "sh");
  writeFileSync(shell, ["#!/usr/bin/python3", "import os, sys", ...lines].join("\n"), { mode: 0o755 });
  const sandbox = await idleSandbox(cache, { mounts: [{ host: shell, inside: "/usr/bin/sh" }] });
  const log = path.join(sandbox.folder, "upper", "log");
  return { ...sandbox, log: () => readFileSync(log, "utf8") };
}

test("a command of which nobody is told that it began is not begun twice, and what it printed is there", async () => {
  const script = ["open('/app/log', 'a').write('ran ')", "os.write(4, b'said\\n')", "sys.exit(3)"];
  const { sh, log } = await withShell(script);
  for (const stdin of [undefined, Readable.from(["x"])]) {
    const { exitCode, stderr } = await sh("true", { stdin });
    expect([exitCode, stderr.toString()]).toEqual([3, "said\n"]);
  }
  expect(log()).toBe("ran ran ");
});

test.each([1, 2, 3, 4])("a shell that floods its descriptor %i fills no memory here", async (descriptor) => {
  const { sh } = await withShell([`while True: os.write(${descriptor}, b"x" * 65536)`]);
  const before = process.memoryUsage().rss;
  const onChunk = () => undefined;
  expect(await sh("true", { timeoutMs: 2000, onChunk })).toMatchObject({ timedOut: true });
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
});

test("where the runtime is killed, what it began is ended", async () => {
  const { sh, container } = await idleSandbox(cache);
  const running = sh("sleep 1001; echo late", { id: "orphan" });
  const runtime = () => execFileSync("sh", ["-c", "pgrep -f 'KAI_EXEC=orphan' || true"]).toString().trim();
  await expect.poll(runtime, { timeout: 30_000 }).not.toBe("");
  await expect
    .poll(() => sh("cat /proc/[0-9]*/cmdline").then(({ stdout }) => stdout.toString()))
    .toContain("sleep\x001001");
  process.kill(Number(runtime().split("\n")[0]), "SIGKILL");
  expect(await running).toMatchObject({ exitCode: 137 });
  expect((await sh("cat /proc/[0-9]*/cmdline")).stdout.toString()).not.toContain("sleep\x001001");
  expect(container.name).toMatch(/^kai-test/);
});

test("more than a pipe holds goes by podman", async () => {
  const { sh } = await idleSandbox(cache);
  const long = "x".repeat(100_000);
  expect((await sh(`echo "$LONG" | wc -c`, { env: { LONG: long } })).stdout.toString()).toBe("100001\n");
});

test("one that SELinux confines goes by podman, whose pipes it knows", async () => {
  const { container, env, sh } = await idleSandbox(cache);
  const asked = ["container", "inspect", "--format", "{{.OCIConfigPath}}", container.name];
  const file = execFileSync("podman", asked, { env, encoding: "utf8" }).trim();
  const config = JSON.parse(readFileSync(file, "utf8"));
  expect(await findRuntime(container)).toBeDefined();
  config.process.selinuxLabel = "system_u:system_r:container_t:s0:c1,c2";
  writeFileSync(file, JSON.stringify(config));
  expect(await findRuntime(container)).toBeUndefined();
  delete config.process.selinuxLabel;
  writeFileSync(file, JSON.stringify(config));
  expect(await sh("exit 3")).toMatchObject({ exitCode: 3 });
});

test("a container that is another one's, or gone, is not asked for by its monitor", async () => {
  const { container, env } = await idleSandbox(cache);
  expect(await findRuntime({ ...container, name: "another" })).toBeUndefined();
  expect(await findRuntime({ ...container, ownKernel: true })).toBeUndefined();
  const [boot, id] = container.process.split(":");
  expect(await findRuntime({ ...container, process: `${boot}:${id}:1` })).toBeUndefined();
  execFileSync("podman", ["rm", "--force", "--time", "0", container.name], { env });
  expect(await findRuntime(container)).toBeUndefined();
});
