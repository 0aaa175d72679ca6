import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NOTHING_LEFT, snapshotAgent } from "../snapshot/snapshot-agent.js";

test("a run takes away the snapshots whose time is over, with what they had changed saved, and no other", async () => {
  const agent = await snapshotAgent();
  const [over, stays] = [await agent.made("create", "1.1.0"), await agent.made("create", "1.1.0")];
  await agent.made("exec", over.id, "--", "sh", "-c", "echo precious > precious.txt");
  // However long that took on this machine.
  const file = path.join(agent.dir, ".git/kai/snapshots", over.id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  const planned = (await agent.kai("trigger", "run", "--dry-run", "--json")).json();
  expect(planned.pruned).toMatchObject([{ id: over.id, kept: null, wouldSave: true }]);
  const ran = await agent.kai("trigger", "run", "--json");
  expect([ran.exit, ran.json()]).toMatchObject([
    0,
    { ran: [], pruned: [{ id: over.id, reason: "its time is over", kept: expect.any(String) }] },
  ]);
  expect(agent.git("show", `refs/kai/snapshots/${over.id}:precious.txt`)).toBe("precious");
  expect(agent.left().records).toEqual([stays.id]);
  await agent.made("destroy", stays.id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a run that fails says what it took away all the same", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  const config = JSON.parse(readFileSync(path.join(agent.dir, "kai.yaml"), "utf8"));
  agent.write(
    "kai.yaml",
    JSON.stringify({ ...config, lifecycle: { trigger: { on: ["schedule"], schedule: "0 3 * * *" } } }),
  );
  agent.commit("feat: on a schedule");
  agent.git("update-ref", "-d", "refs/kai/log");
  const { exit, stderr } = await agent.kai("trigger", "run");
  expect([exit, stderr]).toEqual([
    1,
    expect.stringContaining(`Removed the snapshot ${id} of 1.1.0: its time is over\n`),
  ]);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});
