import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findLocalImages } from "../../src/podman/local-image.js";
import { told } from "../scenarios/place.js";
import { baseImage } from "./base-image.js";
import { NAME, PIP } from "./image-versions.js";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

test("a snapshot whose record is lost is told by a dry run and goes at once, with what it had changed saved", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo precious > precious.txt");
  rmSync(path.join(agent.dir, ".git/kai/snapshots", id), { recursive: true });
  const planned = await agent.made("prune", "--dry-run");
  expect(planned.pruned).toEqual([
    { id, version: "1.1.0", reason: "its record is gone", kept: null, wouldSave: true, refused: [] },
  ]);
  expect(planned.orphans).not.toContain(`kai-${id.toLowerCase()}`);
  expect(agent.left().containers).toHaveLength(1);
  const { pruned } = await agent.made("prune");
  expect(pruned).toMatchObject([{ id, reason: "its record is gone", kept: expect.any(String) }]);
  expect(agent.git("show", `refs/kai/snapshots/${id}:precious.txt`)).toBe("precious");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a dry run tells whether what was changed would be saved, and writes nothing", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  const over = (expiresAt: string) =>
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), expiresAt }));
  const inside = (script: string) => agent.made("exec", id, "--", "sh", "-c", script);
  const would = async () => {
    over(record.createdAt);
    const before = agent.git("count-objects", "-v");
    const { pruned, left } = await agent.made("prune", "--dry-run");
    expect([left, agent.git("count-objects", "-v")]).toEqual([[], before]);
    over(record.expiresAt);
    return pruned.map(({ wouldSave, kept }: { wouldSave: boolean; kept: null }) => [wouldSave, kept]);
  };
  expect(await would()).toEqual([[false, null]]);
  await inside("echo one > a.txt; ln -s a.txt link; chmod +x logic.py");
  expect(await would()).toEqual([[true, null]]);
  over(record.createdAt);
  expect((await agent.snapshot("prune", "--dry-run")).stdout).toContain(
    `: its time is over; what it has changed would be saved on refs/kai/snapshots/${id}`,
  );
  over(record.expiresAt);
  await agent.made("save", id);
  expect(await would()).toEqual([[false, null]]);
  await inside("echo two > a.txt");
  expect(await would()).toEqual([[true, null]]);
  await agent.made("save", id);
  await inside("chmod +x a.txt");
  expect(await would()).toEqual([[true, null]]);
  await inside("chmod -x a.txt; rm logic.py");
  expect(await would()).toEqual([[true, null]]);
  await agent.made("save", id);
  expect(await would()).toEqual([[false, null]]);
  await inside("rm a.txt");
  expect(await would()).toEqual([[true, null]]);
  over(record.createdAt);
  expect((await agent.made("prune")).pruned).toMatchObject([{ id, kept: expect.any(String), wouldSave: null }]);
});

test("a snapshot that cannot be saved stays, with the way out told, and a dry run does not say that there is nothing", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "truncate", "-s", "100M", "sparse.bin");
  const whileReady = await agent.refused("save", id);
  expect(whileReady).toMatchObject({ code: "E128", hint: expect.stringContaining("in the sandbox, and try again") });
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  const wayOut = `\`git kai-version snapshot diff ${id}\` shows what it changed, \`git kai-version snapshot destroy ${id}\` removes it`;
  for (const args of [["prune", "--dry-run"], ["prune"]]) {
    const { stdout, stderr } = await agent.snapshot(...args);
    expect(stderr).toContain(`${id} is left as it was: What the snapshot changed is not taken`);
    expect(stderr).toContain(wayOut);
    expect(stdout).not.toContain("There is nothing to prune.");
  }
  expect((await agent.made("prune")).left).toMatchObject([{ id, hint: expect.stringContaining(wayOut) }]);
  expect((await agent.made("diff", id)).added).toEqual(["sparse.bin"]);
  await agent.made("destroy", id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a folder that another user made, or that names another one as its own, is no lost snapshot of ours", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const folder = path.join(agent.tempDir, `kai-snapshot.${id}`);
  const origin = JSON.parse(readFileSync(path.join(folder, "origin.json"), "utf8"));
  const precious = path.join(agent.dir, "../precious");
  mkdirSync(precious);
  const make = (last: string, of: string | undefined, mode: number) => {
    const other = id.replace(/.$/, last);
    const place = path.join(agent.tempDir, `kai-snapshot.${other}`);
    mkdirSync(place, { mode });
    const snapshot = {
      ...origin.snapshot,
      id: other,
      folder: of ?? place,
      container: `kai-${other.toLowerCase()}`,
      process: null,
    };
    writeFileSync(path.join(place, "origin.json"), JSON.stringify({ ...origin, owner: "gone:1:1", snapshot }));
    chmodSync(place, mode);
  };
  const [one = "", another = ""] = ["X", "Y", "Z"].filter((last) => !id.endsWith(last));
  make(one, precious, 0o700);
  make(another, undefined, 0o755);
  expect((await agent.made("prune")).pruned).toEqual([]);
  expect(existsSync(precious)).toBe(true);
  expect(agent.left().records).toEqual([id]);
});

test("a dry run tells what belongs to no snapshot, and leaves it there", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const records = path.join(agent.dir, ".git/kai/snapshots");
  const forsaken = id.replace(/.$/, (last: string) => (last === "0" ? "1" : "0"));
  mkdirSync(path.join(records, forsaken));
  rmSync(path.join(records, id), { recursive: true });
  // Nor does its folder say what it is of: nothing of it can be saved.
  const [container, folder] = [`kai-${id.toLowerCase()}`, `kai-snapshot.${id}`];
  const origin = path.join(agent.tempDir, folder, "origin.json");
  const { snapshot: _lost, ...rest } = JSON.parse(readFileSync(origin, "utf8"));
  writeFileSync(origin, JSON.stringify({ ...rest, expiresAt: new Date(0).toISOString() }));
  const names = [forsaken, container, folder];
  expect((await agent.made("prune", "--dry-run")).orphans).toEqual(expect.arrayContaining(names));
  expect(agent.left()).toEqual({ containers: [container], folders: [folder], records: [forsaken] });
  expect((await agent.made("prune")).orphans).toEqual(expect.arrayContaining(names));
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("the image of a commit goes when no snapshot is of it; one of a version stays", async () => {
  const base = await baseImage({ pip: PIP });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  await agent.made("run", "1.1.0", "--", "true");
  agent.write("requirements.txt", "x==2\n");
  agent.commit("feat: another requirement");
  const { id } = await agent.made("create", "HEAD");
  const ofCommit = `${NAME}:${agent.git("rev-parse", "HEAD").slice(0, 10)}`;
  const gone = `image ${ofCommit}`;
  const isThere = async (name: string) => (await findLocalImages([name], agent.env)).length === 1;
  expect((await agent.made("prune")).orphans).not.toContain(gone);
  await agent.made("destroy", id);
  expect((await agent.made("prune", "--dry-run")).orphans).toContain(gone);
  expect(await isThere(ofCommit)).toBe(true);
  expect((await agent.made("prune")).orphans).toContain(gone);
  expect(await isThere(ofCommit)).toBe(false);
  expect(await isThere(`${NAME}:1.1.0`)).toBe(true);
});

test("a temp_dir that nobody trusted has signed for is not cleared up", async () => {
  const agent = await snapshotAgent();
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  const tempDir = path.join(agent.dir, "../other-snapshots");
  config.snapshot_isolation.temp_dir = tempDir;
  agent.write("kai.yaml", JSON.stringify(config));
  const folder = path.join(tempDir, "kai-snapshot.A");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const origin = { record: null, owner: "gone:1:1", throwAway: true, expiresAt: new Date(0).toISOString() };
  writeFileSync(path.join(folder, "origin.json"), JSON.stringify(origin));
  agent.commit("feat: elsewhere");
  const passedOver = { folder: tempDir, why: expect.stringContaining("does not open that (temp_dir: ") };
  expect(await agent.made("prune")).toMatchObject({ orphans: [], passedOver });
  expect((await agent.kai("recover")).stderr).toContain(`What was left in ${tempDir} stays: `);
  expect(existsSync(folder)).toBe(true);
  await told(agent, "create");
  expect(await agent.made("prune")).toMatchObject({ orphans: ["kai-snapshot.A"], passedOver: null });
  expect(existsSync(folder)).toBe(false);
});
