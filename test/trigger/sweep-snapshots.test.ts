import { expect, test } from "vitest";
import { NOTHING_LEFT, snapshotAgent } from "../snapshot/snapshot-agent.js";

test("a run takes away the snapshots whose time is over, with what they had changed saved, and no other", async () => {
  const agent = await snapshotAgent();
  const [over, stays] = [
    await agent.made("create", "1.1.0", "--ttl", "3s"),
    await agent.made("create", "1.1.0", "--ttl", "1h"),
  ];
  await agent.made("exec", over.id, "--", "sh", "-c", "echo precious > precious.txt");
  await expect
    .poll(async () => (await agent.made("show", over.id)).status, { timeout: 30_000, interval: 300 })
    .toBe("stopped");
  const planned = (await agent.kai("trigger", "run", "--dry-run", "--json")).json();
  expect(planned.pruned).toMatchObject([{ id: over.id, kept: null }]);
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
