import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listWorkingIn, type SoughtAgent } from "../../src/system/working-in.js";
import { scratch } from "../support/scratch.js";

/** Starts a shell's words in a folder, by a process that ends at once, so that they are nobody's child here; gives their number. */
async function startIn(cwd: string, line: string): Promise<number> {
  const child = spawn("sh", ["-c", `${line} & echo $!`], { cwd, stdio: ["ignore", "pipe", "ignore"] });
  const id = await new Promise<number>((resolve) => child.stdout.once("data", (text) => resolve(Number(text))));
  onTestFinished(() => void process.kill(id, "SIGKILL"));
  return id;
}

test("what works in a folder or below it is found; a shell that waits for somebody is not", async () => {
  const { dir } = scratch();
  const below = path.join(dir, "agent/deep");
  mkdirSync(below, { recursive: true });
  const script = "while :; do sleep 0.1; done";
  const there = await startIn(below, "exec sleep 60");
  const shell = await startIn(below, `exec sh -c '${script}'`);
  const waiting = await startIn(below, "tail -f /dev/null | exec sh");
  await startIn(dir, "exec sleep 60");
  const found = (await listWorkingIn(path.join(dir, "agent")))?.map(({ id }) => id);
  expect(found).toEqual(expect.arrayContaining([there, shell]));
  expect(found).not.toContain(waiting);
  expect(await listWorkingIn(path.join(dir, "elsewhere"))).toEqual([]);
});

test("another run of this program is nobody's agent", async () => {
  const { dir } = scratch();
  const waits = "setInterval(() => {}, 1000)";
  for (const name of ["git-kai-version", "agent"]) writeFileSync(path.join(dir, name), waits);
  const other = `"${process.execPath}" ./git-kai-version`;
  await startIn(dir, `exec ${other}`);
  // As a schedule begins it.
  await startIn(dir, `exec sh -c 'timeout 60 ${other}; true'`);
  const agent = await startIn(dir, `exec "${process.execPath}" ./agent`);
  await expect.poll(async () => (await listWorkingIn(dir))?.map(({ id }) => id)).toEqual([agent]);
});

test("a tool for reading is nobody's agent, unless the start command names it; nor is what a command of the operation left", async () => {
  const { dir } = scratch();
  const tool = await startIn(dir, "exec tail -f /dev/null");
  const left = await startIn(dir, "KAI_OPERATION=01A exec sleep 60");
  const agent = await startIn(dir, "KAI_OPERATION=01A KAI_AGENT=this exec sleep 60");
  const found = async (...args: [SoughtAgent?]) => (await listWorkingIn(dir, ...args))?.map(({ id }) => id).sort();
  expect(await found()).toEqual([left, agent].sort());
  expect(await found({ run: "exec /usr/bin/tail -f in | ./answer", operation: "01A" })).toEqual([tool, agent].sort());
});
