import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { treeOf } from "../../src/git/tree-of.js";
import { listUnusedTrees, pruneTrees } from "../../src/snapshot/sandbox/prune-trees.js";
import { type VersionTreeRequest, versionTree } from "../../src/snapshot/sandbox/version-tree.js";
import { scratch } from "../support/scratch.js";
import { USER } from "./sandbox.js";

function repositoryOf(options: { format?: string; name?: string } = {}) {
  const { dir, env } = scratch();
  const root = path.join(dir, options.name ?? "agent");
  mkdirSync(root);
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  git("init", "--quiet", `--object-format=${options.format ?? "sha1"}`);
  const write = (name: string, content: string): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  };
  const commit = (): string => {
    git("add", "--all");
    git("commit", "--quiet", "--allow-empty", "-m", "c");
    return git("rev-parse", "HEAD");
  };
  const treeFor = async (oid: string) => {
    const repository = await openRepository(root, env);
    const kaiDir = path.join(repository.commonDir, "kai");
    const tree = await treeOf(repository, oid);
    return { tree, folder: await readyTree({ repository, tree, kaiDir, user: USER, namespaces: [], env }) };
  };
  const trees = () =>
    readdirSync(path.join(root, ".git/kai/trees"))
      .filter((name) => name !== ".lock")
      .sort();
  return { root, git, write, commit, treeFor, trees };
}

async function readyTree(request: VersionTreeRequest): Promise<string> {
  const { folder, ready } = versionTree(request);
  await ready;
  return folder;
}

test("writes the version's bytes as they are, whatever attributes and filters say", async () => {
  const agent = repositoryOf({ name: "an agent, à côté:\n2" });
  const marker = path.join(agent.root, "filter-ran");
  agent.write("a.txt", "one\ntwo\n$Id$\n");
  agent.write("b.bin", "\0\r\n");
  agent.write("sub/run.sh", "#!/bin/sh\n");
  chmodSync(path.join(agent.root, "sub/run.sh"), 0o755);
  symlinkSync("a.txt", path.join(agent.root, "link"));
  agent.git("config", "filter.evil.smudge", `touch '${marker}'; cat`);
  agent.git("config", "core.autocrlf", "false");
  const clean = agent.commit();
  const attributes = "*.txt text eol=crlf ident filter=evil working-tree-encoding=UTF-16\n";
  writeFileSync(path.join(agent.root, ".gitattributes"), attributes);
  agent.git("add", ".gitattributes");
  const tree = agent.git("write-tree");
  const hostile = agent.git("commit-tree", "-p", clean, "-m", "hostile", tree);
  agent.git("config", "core.fsmonitor", `touch '${marker}'`);

  const { folder, tree: found } = await agent.treeFor(hostile);
  expect(found).toBe(tree);
  expect(readFileSync(path.join(folder, "a.txt"), "utf8")).toBe("one\ntwo\n$Id$\n");
  expect(readFileSync(path.join(folder, "b.bin"), "latin1")).toBe("\0\r\n");
  expect(readlinkSync(path.join(folder, "link"))).toBe("a.txt");
  expect(lstatSync(path.join(folder, "sub/run.sh")).mode & 0o111).not.toBe(0);
  expect(existsSync(marker)).toBe(false);
  expect(readdirSync(folder)).not.toContain(".git");
});

test("a tree is written once, shared, and registers nothing with git", async () => {
  const agent = repositoryOf();
  agent.write("a.txt", "a");
  const first = await agent.treeFor(agent.commit());
  const { ino } = lstatSync(first.folder);
  const again = await agent.treeFor(agent.commit());
  expect(again).toEqual(first);
  expect(lstatSync(again.folder).ino).toBe(ino);
  expect(agent.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(agent.trees()).toHaveLength(1);
});

test("writers at once make one tree, and what a dead one left is removed", async () => {
  const agent = repositoryOf({ format: "sha256" });
  agent.write("a.txt", "a");
  const oid = agent.commit();
  const trees = path.join(agent.root, ".git/kai/trees");
  mkdirSync(path.join(trees, ".part.gone.999999999.1.abcdef/files"), { recursive: true });
  const made = await Promise.all([agent.treeFor(oid), agent.treeFor(oid), agent.treeFor(oid)]);
  expect(new Set(made.map(({ folder }) => folder)).size).toBe(1);
  expect(agent.trees()).toEqual([path.basename(path.dirname(made[0]?.folder ?? ""))]);
});

test("a commit that is not there is E125", async () => {
  const agent = repositoryOf();
  agent.commit();
  await expect(agent.treeFor("1".repeat(40))).rejects.toMatchObject({ code: "E125" });
});

test.each<[string, (folder: string) => void]>([
  ["bytes of the same length and time", (folder) => rewriteInPlace(path.join(folder, "sub/a.txt"))],
  ["another file", (folder) => writeFileSync(path.join(folder, "sub/b.txt"), "")],
  ["a file that is gone", (folder) => rmSync(path.join(folder, "sub/a.txt"))],
  ["rights", (folder) => chmodSync(path.join(folder, "sub/a.txt"), 0o755)],
])("a tree in which something changed is written again: %s", async (_what, change) => {
  const agent = repositoryOf();
  agent.write("sub/a.txt", "true");
  const oid = agent.commit();
  const { folder } = await agent.treeFor(oid);
  const { ino } = lstatSync(folder);
  change(folder);
  expect(await agent.treeFor(oid)).toEqual(await agent.treeFor(oid));
  expect(lstatSync(folder).ino).not.toBe(ino);
  expect(readdirSync(path.join(folder, "sub"))).toEqual(["a.txt"]);
  expect(readFileSync(path.join(folder, "sub/a.txt"), "utf8")).toBe("true");
  expect(lstatSync(path.join(folder, "sub/a.txt")).mode & 0o111).toBe(0);
  // A sandbox may stand on the one that was changed.
  expect(agent.trees()).toEqual([path.basename(path.dirname(folder)), expect.stringContaining(".aside.")]);
});

function rewriteInPlace(file: string): void {
  const { atime, mtime } = lstatSync(file);
  writeFileSync(file, "evil");
  utimesSync(file, atime, mtime);
}

test("trees of a repository that was copied are written again, those of the first stay", async () => {
  const agent = repositoryOf();
  agent.write("a.txt", "a");
  const oid = agent.commit();
  const { tree, folder } = await agent.treeFor(oid);
  const { ino } = lstatSync(folder);
  const copy = path.join(path.dirname(agent.root), "copy");
  execFileSync("cp", ["-r", agent.root, copy]);
  const repository = await openRepository(copy, scratch().env);
  const request = { repository, tree, user: USER, namespaces: [], env: process.env };
  const copied = await readyTree({ ...request, kaiDir: path.join(copy, ".git/kai") });
  const [{ uid, gid }, theirs] = [lstatSync(copied), lstatSync(folder)];
  expect({ uid, gid }).toEqual({ uid: theirs.uid, gid: theirs.gid });
  expect((await agent.treeFor(oid)).folder).toBe(folder);
  expect(lstatSync(folder).ino).toBe(ino);
});

test("trees go that no snapshot stands on and none did for a while; those in use stay, whatever became of them", async () => {
  const agent = repositoryOf();
  const made = [];
  for (const text of ["a", "b", "c"]) {
    agent.write("a.txt", text);
    const commit = agent.commit();
    made.push({ commit, ...(await agent.treeFor(commit)) });
  }
  const [unused, used, recent] = made.map(({ folder }) => folder) as [string, string, string];
  const old = new Date(Date.now() - 5 * HOUR_MS);
  writeFileSync(path.join(used, "a.txt"), "changed");
  await agent.treeFor(made[1]?.commit ?? "");
  for (const name of agent.trees())
    if (!recent.includes(name)) utimesSync(path.join(agent.root, ".git/kai/trees", name, "fingerprint"), old, old);
  const names = [used, recent].map((folder) => path.basename(path.dirname(folder)));
  const kaiDir = path.join(agent.root, ".git/kai");
  const request = { kaiDir, used: [used], keepMs: 2 * HOUR_MS, now: new Date() };
  expect(await listUnusedTrees({ ...request, keepMs: 6 * HOUR_MS })).toEqual([]);
  expect(await listUnusedTrees(request)).toEqual([path.basename(path.dirname(unused))]);
  expect(agent.trees()).toHaveLength(4);
  expect(await pruneTrees(request, { rootless: false, env: process.env })).toHaveLength(1);
  expect(agent.trees()).toHaveLength(3);
  expect(agent.trees()).toEqual(expect.arrayContaining([...names, expect.stringContaining(`${names[0]}.aside.`)]));
  expect(await pruneTrees({ ...request, used: [] }, { rootless: false, env: process.env })).toHaveLength(2);
  expect(agent.trees()).toEqual([names[1]]);
});

const HOUR_MS = 3_600_000;
