import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

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

test("a FIFO or a device in the place of what is kept of a snapshot is not waited for", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const [fifo, link] = ["0", "1"].map((last) => `${id.slice(0, -2)}${last}${last}`) as [string, string];
  for (const each of [fifo, link]) mkdirSync(path.dirname(fileOf(agent, each)));
  const kept = path.dirname(fileOf(agent, id));
  const names = ["execution-of-the-dead", "held-by-1", "committing", "repository.json"];
  execFileSync("mkfifo", [fileOf(agent, fifo), ...names.map((name) => path.join(kept, name))]);
  symlinkSync("/dev/zero", fileOf(agent, link));
  const ended = async (...args: string[]) => {
    const limit = ["--signal", "KILL", "30", process.execPath, PROGRAM];
    const ran = await agent.run("timeout", [...limit, ...args, "--json"]);
    expect(ran.exit, `${args.join(" ")}: ${ran}`).toBe(0);
    return ran.json();
  };
  expect(await ended("snapshot", "list")).toMatchObject({
    snapshots: [{ id, status: "ready" }],
    damaged: expect.arrayContaining([expect.objectContaining({ id: fifo }), expect.objectContaining({ id: link })]),
  });
  expect(await ended("snapshot", "logs", id)).toMatchObject({ executions: [] });
  await ended("snapshot", "create", "1.1.0");
  await ended("recover");
  expect(await ended("snapshot", "prune")).toMatchObject({ pruned: [], left: [] });
  expect((await agent.made("exec", id, "--", "echo", "on")).stdout).toBe("on\n");
});
