import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const TESTS = [{ name: "answers", run: "python3 logic.py", expect: { stdout: "good" } }];

/** Versions 1.1.0 to 1.1.4, of which the last two answer badly. */
async function broken(tests: readonly object[] = TESTS): Promise<SnapshotAgent> {
  const agent = await snapshotAgent({ tests }, { "logic.py": "print('good 0')\n" });
  for (const number of [1, 2, 3, 4]) {
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
  const ran = await agent.snapshot("test", "1.1.0..1.1.1", "--commit", "--", "sh", "-c", "echo new > new.txt");
  expect(ran.exit, String(ran)).toBe(0);
  const told = [...ran.stdout.matchAll(/^(\S+) command: ✓ Committed to (\S+)$/gm)];
  expect(told.map(([, version]) => version)).toEqual(["1.1.0", "1.1.1"]);
  for (const [, version, branch] of told)
    expect(agent.git("diff", "--name-only", `v${version}`, `${branch}`)).toBe("new.txt");
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
