import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { findRepositoryParts } from "../../src/snapshot/ingest/embedded-repository.js";
import { scratch } from "../support/scratch.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** Which of these paths are part of a repository where a tree has those others. */
async function partsOf(before: readonly string[], paths: readonly string[]): Promise<string[]> {
  const { dir, env } = scratch();
  const git = (args: string[], input = "") =>
    execFileSync("git", args, { cwd: dir, env, encoding: "utf8", input }).trim();
  git(["init", "-q"]);
  const blob = git(["hash-object", "-w", "--stdin"]);
  for (const file of before) git(["update-index", "--add", "--cacheinfo", `100644,${blob},${file}`]);
  const reader = new ObjectReader(await openRepository(dir, env));
  try {
    return [...(await findRepositoryParts(reader, git(["write-tree"]), paths))];
  } finally {
    reader.close();
  }
}

const [HEAD, OBJECTS, REFS] = ["docs/HEAD", "docs/objects/x", "docs/refs/x"];

test.each<[string, string[], string[], string[]]>([
  ["made at once", [], ["docs/HEAD", "docs/a", "docs/config", "docs/objects/x/y", "docs/refs/x"], ["docs/a"]],
  ["completed", [HEAD, OBJECTS], ["docs/a", REFS], ["docs/a"]],
  ["by its HEAD", [OBJECTS, REFS], [HEAD], []],
  ["at the top", ["objects/x"], ["HEAD", "a", "refs"], ["a"]],
  ["in any spelling", ["DOCS/Objects/x"], ["docs/head", "Docs/refs./x", "docs/headline"], ["docs/headline"]],
  [
    "that has its parts elsewhere",
    [],
    [HEAD, "docs/commondir", "evil/objects/x", "evil/refs/x"],
    ["evil/objects/x", "evil/refs/x"],
  ],
  [
    "that the version has",
    [HEAD, OBJECTS, REFS],
    ["docs/config", "docs/hooks/post-commit", "docs/description"],
    ["docs/description"],
  ],
  ["deep below", ["a/b/c/HEAD"], ["a/b/c/objects", "a/b/c/refs/heads/main", "a/b/refs"], ["a/b/refs"]],
])("a repository %s", async (_, before, paths, taken) => {
  expect(await partsOf(before, paths)).toEqual(paths.filter((each) => !taken.includes(each)));
});

test("what only resembles a repository is none", async () => {
  expect(
    await partsOf(
      ["docs/refs/x"],
      [HEAD, "docs/config", "lib/objects/x", "lib/refs/x", "head/x", "objects/x", "refs/x"],
    ),
  ).toEqual([]);
});

const MARKED = (marker: string) =>
  `printf '[core]\\n\\trepositoryformatversion=0\\n\\tbare=false\\n\\tworktree=..\\n\\tfsmonitor="touch ${marker};false"\\n' > docs/config`;
const WHOLE =
  "mkdir -p docs/objects docs/refs; echo 'ref: refs/heads/main' > docs/HEAD; echo x > docs/objects/x; echo x > docs/refs/x; echo a > docs/a";

const markerOf = (agent: SnapshotAgent) => path.join(path.dirname(agent.dir), "executed");

async function changed(agent: SnapshotAgent, script: string, ...options: string[]): Promise<string> {
  const { id } = await agent.made("create", "1.1.0", ...options);
  await agent.made("exec", id, "--", "sh", "-ec", script);
  return id;
}

const refusedAt = (...paths: string[]) =>
  paths.map((each) => ({ path: each, reason: "makes its folder a repository" }));

test.each(["branch", "--apply", "--version"])("a repository that a sandbox embeds is refused: %s", async (into) => {
  const agent = await snapshotAgent();
  const marker = markerOf(agent);
  const id = await changed(agent, `${WHOLE}; ${MARKED(marker)}`);
  const refused = refusedAt("docs/HEAD", "docs/config", "docs/objects/x", "docs/refs/x");
  expect(await agent.made("diff", id)).toMatchObject({ added: ["docs/a"], refused });
  const done = await agent.made("commit", id, ...(into === "branch" ? [] : [into]));
  expect(done).toMatchObject({ changed: [{ path: "docs/a", change: "added" }], refused });
  expect(agent.git("ls-tree", "-r", "--name-only", done.commit, "docs")).toBe("docs/a");
  agent.git("checkout", "-q", done.branch);
  agent.git("-C", "docs", "status");
  expect(existsSync(marker)).toBe(false);
});

test("nor is it completed by a second commit, on the branch, or from a save", async () => {
  const agent = await snapshotAgent();
  const first = await changed(agent, "mkdir -p docs/objects; echo x > docs/objects/x; echo x > docs/HEAD");
  const second = await changed(agent, "mkdir -p docs/refs; echo x > docs/refs/x; echo x > new");
  expect(await agent.made("commit", first, "--apply")).toMatchObject({ refused: [] });
  expect(await agent.made("commit", second, "--apply")).toMatchObject({
    changed: [{ path: "new", change: "added" }],
    refused: refusedAt("docs/refs/x"),
  });
  const third = await changed(agent, "mkdir -p docs/refs; echo x > docs/refs/y");
  expect(await agent.refused("commit", third, "--apply")).toMatchObject({
    code: "E109",
    refused: refusedAt("docs/refs/y"),
  });
  const base = await changed(agent, WHOLE);
  expect(await agent.made("save", base)).toMatchObject({ refused: [] });
  const above = await changed(agent, "echo b > docs/b", "--type", "layered", "--base", base);
  expect(await agent.made("commit", above)).toMatchObject({
    changed: [
      { path: "docs/a", change: "added" },
      { path: "docs/b", change: "added" },
    ],
    refused: refusedAt("docs/HEAD", "docs/objects/x", "docs/refs/x"),
  });
});

test("a run tells it, too, whose changes become a branch", async () => {
  const agent = await snapshotAgent();
  const ran = await agent.made("run", "1.1.0", "--commit", "--", "sh", "-ec", WHOLE);
  expect(ran).toMatchObject({ refused: refusedAt("docs/HEAD", "docs/objects/x", "docs/refs/x") });
  expect(agent.git("ls-tree", "-r", "--name-only", ran.branch, "docs")).toBe("docs/a");
});
