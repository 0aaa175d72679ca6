import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const fileOf = (agent: SnapshotAgent, id: string): string =>
  path.join(agent.dir, ".git/kai/snapshots", id, "record.json");

/** Writes other things into a snapshot's record; undefined takes a key away. */
function change(agent: SnapshotAgent, id: string, changes: Readonly<Record<string, unknown>>): void {
  const file = fileOf(agent, id);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...changes }));
}

test("a record that lacks something is told as damaged, and prune and recover save what its snapshot changed", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const another = (await agent.made("create", "1.1.0")).id;
  for (const each of [id, another]) await agent.made("exec", each, "--", "sh", "-c", "echo precious > precious.txt");
  await agent.made("save", id);
  await agent.made("exec", id, "--", "sh", "-c", "echo newer > precious.txt");
  const message = (of: string) => `The record of the snapshot ${of} is damaged.`;
  const hint = expect.stringContaining("`git kai-version snapshot prune` saves what the snapshot changed");
  change(agent, id, { settings: undefined });
  expect(await agent.made("list")).toMatchObject({
    snapshots: [{ id: another }],
    gone: [],
    damaged: [{ id, hint }],
  });
  expect((await agent.snapshot("list")).stderr).toContain(`Warning: ${message(id)} \`git kai-version snapshot prune\``);
  for (const args of [["show"], ["diff"], ["destroy"], ["destroy", "--saves"]])
    expect(await agent.refused(...args, id)).toMatchObject({ code: "E125", message: message(id), hint });
  expect((await agent.made("prune")).pruned).toMatchObject([
    { id, reason: "its record is gone", kept: expect.any(String) },
  ]);
  expect(agent.git("show", `refs/kai/snapshots/${id}:precious.txt`)).toBe("newer");
  change(agent, another, { process: 42, expiresAt: "garbage" });
  expect((await told(agent, "recover")).snapshots.pruned).toMatchObject([{ id: another, kept: expect.any(String) }]);
  expect(agent.git("show", `refs/kai/snapshots/${another}:precious.txt`)).toBe("precious");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a record of which nothing else is left holds up nobody, and says what is to be removed", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const record = readFileSync(fileOf(agent, id), "utf8");
  await agent.made("destroy", id);
  const folder = path.dirname(fileOf(agent, id));
  mkdirSync(folder);
  writeFileSync(fileOf(agent, id), record);
  change(agent, id, { settings: { type: "full" } });
  expect(await agent.made("prune")).toMatchObject({ pruned: [], left: [] });
  const { stdout, stderr } = await agent.snapshot("list");
  expect([stdout, stderr]).toEqual(["", expect.stringContaining(`where they are gone, remove ${folder}`)]);
  rmSync(folder, { recursive: true });
  expect((await agent.made("list")).damaged).toEqual([]);
});
