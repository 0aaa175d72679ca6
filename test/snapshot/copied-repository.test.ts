import { execFileSync } from "node:child_process";
import { renameSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { isSamePlace } from "../../src/snapshot/repository-place.js";
import { placeAt } from "../scenarios/place.js";
import { snapshotAgent } from "./snapshot-agent.js";

test("a copy of a repository has none of its snapshots, and leaves them alone", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo unsaved > unsaved.txt");
  const copy = path.join(path.dirname(agent.dir), "copy");
  execFileSync("cp", ["--archive", agent.dir, copy]);
  const { kai } = placeAt(copy, agent.env);
  const json = async (...args: string[]) => (await kai("snapshot", ...args, "--json")).json();
  expect(await json("list")).toMatchObject({ snapshots: [] });
  for (const command of ["destroy", "show", "save", "diff"]) {
    const { error } = await json(command, id);
    expect(error, command).toMatchObject({
      code: "E101",
      message: expect.stringContaining(path.join(agent.dir, ".git")),
    });
  }
  expect(await json("prune", "--all")).toMatchObject({ pruned: [], orphans: [id] });
  expect(await json("prune", "--all")).toMatchObject({ pruned: [], orphans: [] });
  expect((await agent.made("exec", id, "--", "cat", "unsaved.txt")).stdout).toBe("unsaved\n");
  expect((await agent.made("prune")).orphans).toEqual([]);
});

test("a repository that was moved keeps its snapshots", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const moved = `${agent.dir}-moved`;
  renameSync(agent.dir, moved);
  const { kai } = placeAt(moved, agent.env);
  const list = (await kai("snapshot", "list", "--json")).json();
  expect(list.snapshots).toMatchObject([{ id, status: "ready" }]);
  expect((await kai("snapshot", "destroy", id)).exit).toBe(0);
  renameSync(moved, agent.dir);
  expect(agent.left()).toEqual({ containers: [], folders: [], records: [] });
});

test("a repository is known by inode and path, or inode and device", () => {
  const one = { path: "/a/.git", device: "1", inode: "7" };
  expect(isSamePlace(one, { ...one, device: "2" })).toBe(true);
  expect(isSamePlace(one, { ...one, path: "/b/.git" })).toBe(true);
  expect(isSamePlace(one, { ...one, inode: "8" })).toBe(false);
  expect(isSamePlace(one, { ...one, path: "/b/.git", device: "2" })).toBe(false);
});
