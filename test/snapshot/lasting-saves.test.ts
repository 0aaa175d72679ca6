import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { DiskCall } from "../operation/disk-model.js";
import { runTraced } from "../operation/run-traced.js";
import { snapshotAgent } from "./snapshot-agent.js";

/** What a command did to names below the agent's folder, in order: those that it gave, and folders that it synced. */
async function tracedNames(agent: { dir: string; env: NodeJS.ProcessEnv }, args: readonly string[]) {
  const record = path.join(path.dirname(agent.dir), "calls.jsonl");
  const { exit, stderr } = await runTraced(agent, args, undefined, record);
  expect([exit, stderr]).toEqual([0, ""]);
  const lines = readFileSync(record, "utf8").trimEnd().split("\n");
  return lines.flatMap((line) => {
    const call = JSON.parse(line) as DiskCall;
    const isName = call.do === "rename" || call.do === "link";
    return isName || call.do === "sync" ? [{ named: isName, at: path.relative(agent.dir, call.path) }] : [];
  });
}

test("what a save names lasts before its name does, and that before the snapshot's own files may go", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "mkdir -p deep/er && echo new | tee new.txt deep/er/file");
  const calls = await tracedNames(agent, ["snapshot", "save", id]);
  const ref = `.git/refs/kai/snapshots/${id}`;
  const at = calls.findIndex((call) => call.named && call.at === ref);
  const objects = calls.slice(0, at).filter(({ named, at: name }) => named && name.startsWith(".git/objects/"));
  expect(objects.length).toBeGreaterThanOrEqual(4);
  for (const { at: object } of objects) {
    const named = calls.findIndex((call) => call.at === object);
    const synced = calls.findIndex((call, index) => index > named && !call.named && call.at === path.dirname(object));
    expect([object, synced > named && synced < at]).toEqual([object, true]);
  }
  expect(calls.slice(at).some((call) => !call.named && call.at === path.dirname(ref))).toBe(true);
});
