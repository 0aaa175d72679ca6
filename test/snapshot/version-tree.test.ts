import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { versionTree } from "../../src/snapshot/sandbox/version-tree.js";
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
    return versionTree({ repository, commit: oid, kaiDir, user: USER, namespaces: [], env });
  };
  return { root, git, write, commit, treeFor };
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
  writeFileSync(path.join(first.folder, "mark"), "");
  const again = await agent.treeFor(agent.commit());
  expect(again).toEqual(first);
  expect(readdirSync(again.folder).sort()).toEqual(["a.txt", "mark"]);
  expect(agent.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(readdirSync(path.dirname(first.folder))).toHaveLength(1);
});

test("writers at once make one tree, and what a dead one left is removed", async () => {
  const agent = repositoryOf({ format: "sha256" });
  agent.write("a.txt", "a");
  const oid = agent.commit();
  const trees = path.join(agent.root, ".git/kai/trees");
  mkdirSync(path.join(trees, ".part.gone.999999999.1.abcdef/files"), { recursive: true });
  const made = await Promise.all([agent.treeFor(oid), agent.treeFor(oid), agent.treeFor(oid)]);
  expect(new Set(made.map(({ folder }) => folder)).size).toBe(1);
  expect(readdirSync(trees)).toEqual([path.basename(made[0]?.folder ?? "")]);
});

test("a commit that is not there is E125", async () => {
  const agent = repositoryOf();
  agent.commit();
  await expect(agent.treeFor("1".repeat(40))).rejects.toMatchObject({ code: "E125" });
});
