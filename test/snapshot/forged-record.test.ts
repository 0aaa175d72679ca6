import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const fileOf = (agent: SnapshotAgent, id: string): string =>
  path.join(agent.dir, ".git/kai/snapshots", id, "record.json");

/** As an archive of somebody's brings it: whoever made it is gone, nobody says where, and `recover` is to throw it away. */
const FORSAKEN = { repository: undefined, throwAway: true, owner: "gone:1:1", process: null };

test("what a record names that is not its snapshot's is neither deleted nor ended", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const container = `kai-${id.toLowerCase()}`;
  const other = id.replace(/.$/, (last: string) => (last === "0" ? "1" : "0"));
  const elsewhere = path.join(path.dirname(agent.dir), "elsewhere");
  const record = JSON.parse(readFileSync(fileOf(agent, id), "utf8"));
  mkdirSync(path.dirname(fileOf(agent, other)));
  const own = path.join(elsewhere, `kai-snapshot.${other}`);
  const named = { id: other, folder: own, container: `kai-${other.toLowerCase()}` };
  const forge = (changes: Readonly<Record<string, unknown>>) =>
    writeFileSync(fileOf(agent, other), JSON.stringify({ ...record, ...FORSAKEN, ...named, ...changes }));
  const victim = path.join(elsewhere, "victim");
  for (const folder of [own, victim]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "precious.txt"), "precious");
  }
  for (const changes of [{ folder: victim }, { container }, {}]) {
    forge(changes);
    expect(await agent.refused("destroy", other), JSON.stringify(changes)).toMatchObject({ code: "E125" });
    const recovered = await told(agent, "recover");
    expect(recovered.snapshots?.pruned ?? []).toEqual([]);
    await agent.made("prune", "--all");
    expect([own, victim].filter((folder) => existsSync(path.join(folder, "precious.txt")))).toEqual([own, victim]);
    expect(agent.left().containers).toEqual([container]);
  }
  const { left } = await agent.made("prune", "--dry-run");
  expect(left).toEqual([
    {
      id: other,
      reason: `${own} does not say that it is the folder of the snapshot ${other}.`,
      hint: expect.stringContaining(`Remove ${path.dirname(fileOf(agent, other))},`),
    },
  ]);
  // What a kill or a power cut leaves of a folder that was just made.
  rmSync(path.join(own, "precious.txt"));
  writeFileSync(path.join(own, "origin.json"), "");
  expect((await told(agent, "recover")).snapshots.pruned).toMatchObject([{ id: other }]);
  expect([existsSync(own), agent.left().records]).toEqual([false, [id]]);
});
