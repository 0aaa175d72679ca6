import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isSamePlace } from "../../src/snapshot/repository-place.js";
import { placeAt } from "../scenarios/place.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** `snapshot … --json` in another folder than the agent's; gives the document. */
const snapshotIn =
  (dir: string, { env }: Pick<SnapshotAgent, "env">) =>
  async (...args: string[]) =>
    (await placeAt(dir, env).kai("snapshot", ...args.toSpliced(args.indexOf("--") >>> 0, 0, "--json"))).json();

/** Its time is over, by its folder and by its record. */
function expire({ dir, tempDir }: Pick<SnapshotAgent, "dir" | "tempDir">, id: string): void {
  for (const file of [`${tempDir}/kai-snapshot.${id}/origin.json`, `${dir}/.git/kai/snapshots/${id}/record.json`]) {
    if (!existsSync(file)) continue;
    writeFileSync(
      file,
      JSON.stringify({
        ...JSON.parse(readFileSync(file, "utf8")),
        expiresAt: new Date(0).toISOString(),
        owner: "gone:1:1",
      }),
    );
  }
}

/** Moves it until the test ends. */
function move({ dir }: Pick<SnapshotAgent, "dir">, to: string): void {
  renameSync(dir, to);
  onTestFinished(() => {
    if (!existsSync(dir)) renameSync(to, dir);
  });
}

/** Another agent, whose sandboxes lie in the same folder. */
function anotherAgent(agent: SnapshotAgent): string {
  const other = path.join(path.dirname(agent.dir), "other");
  cpSync(agent.dir, other, { recursive: true });
  rmSync(path.join(other, ".git/kai/snapshots"), { recursive: true });
  return other;
}

test("what was changed in a snapshot of a repository that is not there is nobody else's to remove, and what was not is", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const { id: untouched } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo unsaved > unsaved.txt; rm logic.py");
  const other = anotherAgent(agent);
  const moved = `${agent.dir}-moved`;
  move(agent, moved);
  for (const each of [id, untouched]) expire({ ...agent, dir: moved }, each);
  const folder = path.join(agent.tempDir, `kai-snapshot.${id}`);
  const left = [
    { id, reason: expect.stringContaining(agent.dir), hint: expect.stringContaining(`rm -rf '${folder}'`) },
  ];
  const inOther = snapshotIn(other, agent);
  expect(await inOther("prune", "--dry-run")).toMatchObject({ orphans: [`kai-snapshot.${untouched}`], left });
  expect((await placeAt(other, agent.env).kai("recover")).exit).toBe(0);
  expect(agent.left().folders).toEqual([`kai-snapshot.${id}`]);
  expect(await inOther("prune", "--all")).toMatchObject({ orphans: [], left });
  const inMoved = snapshotIn(moved, agent);
  expect(await inMoved("diff", id)).toMatchObject({ added: ["unsaved.txt"], deleted: ["logic.py"] });
  // It is known to be there now.
  expect(await inOther("prune")).toMatchObject({ orphans: [], left: [] });
  const { pruned } = await inMoved("prune");
  expect(pruned).toMatchObject([
    { id, kept: expect.any(String) },
    { id: untouched, kept: null },
  ]);
  renameSync(moved, agent.dir);
  expect(agent.left()).toEqual({ containers: [], folders: [], records: [] });
});

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

test("a repository that lies where another one was leaves the containers of that alone", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const moved = `${agent.dir}-moved`;
  const next = anotherAgent(agent);
  move(agent, moved);
  renameSync(next, agent.dir);
  onTestFinished(() => rmSync(agent.dir, { recursive: true }));
  expect((await agent.made("prune", "--dry-run")).orphans).toEqual([]);
  expect((await agent.made("prune", "--all")).orphans).toEqual([]);
  const inMoved = snapshotIn(moved, agent);
  expect(await inMoved("exec", id, "--", "echo", "lives")).toMatchObject({ stdout: "lives\n" });
  await inMoved("destroy", id);
  expect(agent.left()).toEqual({ containers: [], folders: [], records: [] });
});

test("a repository that was copied over is the one, and so is a copy of one that is nowhere any more", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const { id: gone } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo unsaved > unsaved.txt; rm logic.py");
  const [copy, moved] = [`${agent.dir}-copy`, `${agent.dir}-moved`];
  execFileSync("cp", ["--archive", agent.dir, copy]);
  move(agent, moved);
  const [inCopy, inMoved] = [copy, moved].map((dir) => snapshotIn(dir, agent)) as [
    typeof agent.made,
    typeof agent.made,
  ];
  expect(await inMoved("list")).toMatchObject({ snapshots: [{ id }, { id: gone }] });
  // Its folder says that it has only been moved.
  expect(await inCopy("list")).toMatchObject({ snapshots: [] });
  expect((await inCopy("show", id)).error.message).toContain(moved);
  expect((await inMoved("destroy", gone)).exit).toBeUndefined();
  rmSync(moved, { recursive: true });
  expect((await inCopy("show", gone)).error.hint).toContain("not there any more");
  expect(await inCopy("diff", id)).toMatchObject({ added: ["unsaved.txt"], deleted: ["logic.py"] });
  expect(await inCopy("prune")).toMatchObject({ pruned: [], orphans: [gone], left: [] });
  renameSync(copy, agent.dir);
  expect((await agent.made("save", id)).commit).toEqual(expect.any(String));
  await agent.made("destroy", id);
  expect(agent.left()).toEqual({ containers: [], folders: [], records: [] });
});

test("what runs in a snapshot is ended where the repository under it is gone, and a copy of that keeps its files", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo unsaved > unsaved.txt; rm logic.py");
  const copy = `${agent.dir}-copy`;
  execFileSync("cp", ["--archive", agent.dir, copy]);
  rmSync(agent.dir, { recursive: true });
  const inCopy = snapshotIn(copy, agent);
  const ended = { status: "stopped", reason: expect.stringContaining("is gone") };
  expect(await inCopy("list")).toMatchObject({ snapshots: [{ id, ...ended }] });
  expect(agent.left().containers).toEqual([]);
  expect((await inCopy("exec", id, "--", "ls")).error).toMatchObject({ code: "E103" });
  expect(await inCopy("diff", id)).toMatchObject({ added: ["unsaved.txt"], deleted: ["logic.py"] });
  expect(await inCopy("save", id)).toMatchObject({ made: true });
  expect(await inCopy("show", id)).toMatchObject(ended);
  renameSync(copy, agent.dir);
  expect(await agent.made("show", id)).toMatchObject(ended);
  await agent.made("destroy", id);
  expect(agent.left()).toEqual({ containers: [], folders: [], records: [] });
});

test("a repository is known by inode and path, or inode and device", () => {
  const one = { path: "/a/.git", device: "1", inode: "7" };
  expect(isSamePlace(one, { ...one, device: "2" })).toBe(true);
  expect(isSamePlace(one, { ...one, path: "/b/.git" })).toBe(true);
  expect(isSamePlace(one, { ...one, inode: "8" })).toBe(false);
  expect(isSamePlace(one, { ...one, path: "/b/.git", device: "2" })).toBe(false);
});
