import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const TESTS = [{ name: "answers", run: "python3 logic.py", expect: { stdout: "good" } }];

/** Versions 1.1.0 to 1.1.4, of which the last two answer badly, and `wantsGpu` asks for more than there is. */
async function broken(tests: readonly object[] = TESTS, wantsGpu = 0): Promise<SnapshotAgent> {
  const agent = await snapshotAgent({ tests }, { "logic.py": "print('good 0')\n" });
  const yaml = readFileSync(path.join(agent.dir, "kai.yaml"), "utf8");
  const wanting = JSON.parse(yaml);
  wanting.snapshot_isolation.resource_limits.gpu = "16";
  for (const number of [1, 2, 3, 4]) {
    agent.write("kai.yaml", number === wantsGpu ? JSON.stringify(wanting) : yaml);
    agent.write("logic.py", `print('${number > 2 ? "bad" : "good"} ${number}')\n`);
    agent.commit(`fix: answer ${number}`);
    await agent.kai("create");
  }
  return agent;
}

const versionsOf = ({ versions }: { versions: { version: string; passed: boolean }[] }) =>
  versions.map(({ version, passed }) => [version, passed]);

test("a range is tested side by side, and the first bad one is named; bisected, with fewer runs", async () => {
  const agent = await broken();
  const ran = await agent.kai("snapshot", "test", "1.1.0..1.1.4", "--json");
  expect(ran.exit).toBe(1);
  expect(versionsOf(ran.json())).toEqual([
    ["1.1.0", true],
    ["1.1.1", true],
    ["1.1.2", true],
    ["1.1.3", false],
    ["1.1.4", false],
  ]);
  expect(ran.json()).toMatchObject({ passed: false, firstBad: "1.1.3", lastGood: "1.1.2" });
  const bisected = (await agent.kai("snapshot", "test", "1.1.0..1.1.4", "--bisect", "--json")).json();
  expect(bisected).toMatchObject({ firstBad: "1.1.3", lastGood: "1.1.2" });
  expect(versionsOf(bisected)).toHaveLength(4);
  expect([ran.json().untested, bisected.untested]).toEqual([0, 1]);
  const ends = await agent.snapshot("test", "1.1.0..1.1.2", "--bisect");
  expect(ends.stdout).toContain("Both ends passed, so there is nothing to search for: 1 between them was not tested.");
  expect(await agent.refused("test", "1.1.4..1.1.0")).toMatchObject({ code: "E122" });
  expect(await agent.refused("test", "1.1.0..")).toMatchObject({ code: "E122" });
  expect(await agent.refused("test", "1.1.0", "--bisect")).toMatchObject({ code: "E122" });
});

test("of a range an archived version is left out, but for its ends", async () => {
  const agent = await broken();
  for (const version of ["1.1.0", "1.1.1"]) await agent.kai("archive", version);
  const ran = await agent.kai("snapshot", "test", "1.1.0..1.1.2", "--json");
  expect(versionsOf(ran.json())).toEqual([
    ["1.1.0", true],
    ["1.1.2", true],
  ]);
});

test("of a range, too, what is changed is committed where that is asked for, each to a branch of its own", async () => {
  const agent = await broken();
  const ran = await agent.snapshot("test", "1.1.0..1.1.1", "-m", "fix: tried", "--", "sh", "-c", "echo new > new.txt");
  expect(ran.exit, String(ran)).toBe(0);
  const told = [...ran.stdout.matchAll(/^(\S+) command: ✓ Committed to (\S+)$/gm)];
  expect(told.map(([, version]) => version)).toEqual(["1.1.0", "1.1.1"]);
  for (const [, version, branch] of told) {
    expect(agent.git("diff", "--name-only", `v${version}`, `${branch}`)).toBe("new.txt");
    expect(agent.git("log", "-1", "--format=%s", `${branch}`)).toBe("fix: tried");
  }
});

test("one of a range that cannot be tested is told with the reason, and the others are tested; bisected, it is passed over", async () => {
  const agent = await broken(TESTS, 2);
  const ran = await agent.kai("snapshot", "test", "1.1.0..1.1.3", "--json");
  expect([ran.exit, versionsOf(ran.json())]).toEqual([
    1,
    [
      ["1.1.0", true],
      ["1.1.1", true],
      ["1.1.2", false],
      ["1.1.3", false],
    ],
  ]);
  const { versions, firstBad, lastGood } = ran.json();
  expect([firstBad, lastGood]).toEqual(["1.1.3", "1.1.1"]);
  expect(versions[2]).toMatchObject({ tests: [], error: { code: "E103", message: expect.stringContaining("GPU") } });
  expect(versions[3].error).toBeNull();

  const bisected = await agent.snapshot("test", "1.1.0..1.1.4", "--bisect");
  expect(bisected.exit).toBe(1);
  expect(bisected.stdout).toMatch(/^1\.1\.2 +error$/m);
  expect(bisected.stdout).toMatch(/^1\.1\.2 could not be tested \(E103\): .*GPU/m);
  expect(bisected.stdout).toContain(
    "The first bad one is 1.1.3, after 1.1.1, which is good. What could not be tested was passed over: it may be bad, too.",
  );
  const good = await agent.snapshot("test", "1.1.0..1.1.2");
  expect([good.exit, good.stdout]).toEqual([1, expect.stringContaining("All others passed.")]);
  expect(await agent.refused("test", "1.1.2..1.1.2")).toMatchObject({ code: "E103" });
});

test("however many versions are tested, nothing is left listening to what may interrupt them", async () => {
  const agent = await broken(["one", "two", "three"].map((name) => ({ name, run: "true" })));
  const ran = await agent.snapshot("test", "1.1.0..1.1.4", "--json");
  expect(ran.json().versions).toHaveLength(5);
  expect(ran.stderr).not.toContain("MaxListenersExceededWarning");
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`a range that is ended by ${signal} leaves nothing`, async () => {
    const agent = await broken();
    const args = [PROGRAM, "snapshot", "test", "1.1.0..1.1.4", "--", "sleep", "300"];
    const child = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", (_code, by) => resolve(by)));
    await expect.poll(() => agent.left().containers.length, { timeout: 30_000 }).toBeGreaterThan(0);
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(agent.left()).toEqual(NOTHING_LEFT);
  });
}
