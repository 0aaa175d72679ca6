import { chownSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { has } from "../../src/podman/capabilities.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { mountVolume, unmountVolume } from "../../src/podman/volume.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idlePlan, idleSandbox, runningSandbox, USER } from "./sandbox.js";

const MIB = 1024 * 1024;
const cache = sharedCache();
const LIMITS = { cpus: 1, memoryBytes: 64 * MIB, pids: 24, seconds: 0 };

test("a fork bomb meets the limit, is ended to its last process, and the container goes on", async () => {
  const { sh, host } = await idleSandbox(cache, { limits: LIMITS });
  if (!has(host, "pids")) return;
  const processes = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  const before = processes();
  const bomb = "bomb() { bomb | bomb & }; bomb; while :; do bomb 2>/dev/null; done";
  const result = await sh("", { command: ["/bin/bash", "-c", bomb], timeoutMs: 3000 });
  expect(result).toMatchObject({ timedOut: true, exitCode: 137 });
  expect(processes()).toBeLessThan(before + 200);
  const after = await sh("echo well; ls -d /proc/[0-9]* | wc -l");
  expect(after.stdout.toString()).toMatch(/^well\n[1-4]\n$/);
});

test("processors beyond the limit are not had", async () => {
  const { sh, host } = await idleSandbox(cache, { limits: { ...LIMITS, cpus: 0.5 } });
  if (!has(host, "cpu")) return;
  const burn = [
    "import os, time",
    "start = time.monotonic()",
    "children = [os.fork() for _ in range(3)]",
    "while time.monotonic() - start < 2: pass",
    "if 0 in children: os._exit(0)",
    "for child in children: os.waitpid(child, 0)",
    "used = sum(os.times()[:4])",
    "print(used / (time.monotonic() - start))",
  ].join("\n");
  const { stdout } = await sh("", { command: ["/usr/bin/python3", "-c", burn] });
  expect(Number(stdout.toString())).toBeGreaterThan(0);
  expect(Number(stdout.toString())).toBeLessThan(0.8);
});

test("what is in /tmp and in shared memory is a share of the memory", async () => {
  const { sh } = await idleSandbox(cache, { limits: LIMITS });
  for (const folder of ["/tmp", "/dev/shm"]) {
    const { stdout } = await sh(
      `head -c 100000000 /dev/zero 2>/dev/null > ${folder}/big; stat -c %s ${folder}/big; rm ${folder}/big`,
    );
    expect(Number(stdout.toString())).toBe(16 * MIB);
  }
});

test("a disk filler meets the end of its own disk, in an overlay and in a folder of its own", async () => {
  const prepared = await idlePlan(cache, { limits: LIMITS });
  const { host, env, folder, plan } = prepared;
  if (!has(host, "storage")) return;
  const volume = path.join(folder, "volume");
  onTestFinished(() => unmountVolume(volume, env));
  await mountVolume(volume, 16 * MIB, env, cache);
  const [upper, work, own] = ["upper", "work", "own"].map((name) => path.join(volume, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [upper, work, own]) mkdirSync(each);
  chownSync(own, USER.uid, USER.gid);
  const filled = async (app: typeof plan.app, name: string) => {
    const { sh, container } = await runningSandbox({ ...prepared, plan: { ...plan, name, app } });
    onTestFinished(() => removeContainer(container.name, env));
    const { stdout, stderr } = await sh("head -c 100000000 /dev/zero > big; stat -c %s big; rm big");
    expect(stderr.toString()).toContain("No space left on device");
    return Number(stdout.toString());
  };
  for (const [index, app] of [{ lower: path.join(folder, "lower"), upper, work }, { folder: own }].entries()) {
    const held = await filled(app, `${plan.name}-${index}`);
    expect(held).toBeGreaterThan(12 * MIB);
    expect(held).toBeLessThan(16 * MIB);
  }
});

test("50 MB are read to the end; 20 MB of input arrive whole", async () => {
  const { sh } = await idleSandbox(cache);
  const out = await sh("head -c 50000000 /dev/zero | tr '\\0' a; echo seen >&2");
  expect(out.stdout).toHaveLength(50_000_000);
  expect(out).toMatchObject({ exitCode: 0 });
  expect(out.stderr.toString()).toBe("seen\n");
  const input = Buffer.alloc(20_000_000, "in\r\n\0put");
  const stdin = () => Readable.from([input]);
  expect((await sh("sha256sum; cat | wc -c", { stdin: stdin() })).stdout.toString()).toMatch(
    /^[0-9a-f]{64} {2}-\n0\n$/,
  );
  expect(Number((await sh("wc -c", { stdin: stdin() })).stdout)).toBe(input.length);
});
