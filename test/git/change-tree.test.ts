import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { changeTree, type TreePath } from "../../src/git/change-tree.js";
import { openRepository } from "../../src/git/repository.js";
import { scratch } from "../support/scratch.js";

/** An empty repository with two blobs, and what git makes of changes by its own index. */
async function ground() {
  const { dir, env } = scratch();
  const git = (args: readonly string[], input: string | Buffer = "", more: NodeJS.ProcessEnv = {}): string =>
    execFileSync("git", [...args], {
      cwd: dir,
      input,
      env: { ...env, ...more },
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  git(["init", "--quiet"]);
  const byIndex = (base: string | null, changed: readonly TreePath[]): string => {
    const own = { GIT_INDEX_FILE: path.join(dir, "index-of-the-test") };
    rmSync(own.GIT_INDEX_FILE, { force: true });
    git(base === null ? ["read-tree", "--empty"] : ["read-tree", base], "", own);
    const sorted = [...changed].sort((a, b) => Number(b.mode === "0") - Number(a.mode === "0"));
    const lines = sorted.map(({ path: name, mode, id }) =>
      mode === "0" ? `0 ${"0".repeat(40)}\t${name}\0` : `${mode} ${id}\t${name}\0`,
    );
    git(["update-index", "--replace", "-z", "--index-info"], Buffer.from(lines.join(""), "latin1"), own);
    return git(["write-tree"], "", own);
  };
  const repository = await openRepository(dir, env);
  return { git, byIndex, repository, blobs: ["one", "two"].map((text) => git(["hash-object", "-w", "--stdin"], text)) };
}

/** Names that sort one way as files and another way as folders, and some that are no UTF-8. */
const NAME = fc.constantFrom("a", "a.b", "a0", "a-", "b", "\xff\xfe", " ", "c d");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const FILE = fc.tuple(fc.constantFrom("100644", "100755", "120000"), fc.nat(1));

/** Files of which none lies below another one. */
const FILES = fc.array(fc.tuple(PATH, FILE), { maxLength: 12 }).map((files) => {
  const taken = new Map<string, readonly [string, number]>();
  for (const [name, file] of files) {
    const clash = [...taken.keys()].some((each) => each.startsWith(`${name}/`) || name.startsWith(`${each}/`));
    if (!clash) taken.set(name, file);
  }
  return taken;
});

const pathsOf = (files: ReadonlyMap<string, readonly [string, number]>, blobs: readonly string[]): TreePath[] =>
  [...files].map(([name, [mode, blob]]) => ({ path: name, mode, id: blobs[blob] ?? "" }));

test("a tree becomes what git's own index makes of the same changes", async () => {
  const { git, byIndex, repository, blobs } = await ground();
  await fc.assert(
    fc.asyncProperty(FILES, FILES, fc.array(PATH, { maxLength: 6 }), async (before, after, more) => {
      const base = byIndex(null, pathsOf(before, blobs));
      const gone = [...before.keys(), ...more].filter((name) => !after.has(name));
      const removals = gone.filter((_, index) => index % 2 === 0).map((name) => ({ path: name, mode: "0", id: "" }));
      const changed = [...pathsOf(after, blobs), ...removals];
      expect(await changeTree(repository, base, changed)).toBe(byIndex(base, changed));
    }),
    { numRuns: 60 },
  );
  expect(git(["fsck", "--strict", "--no-dangling"])).toBe("");
});

test("folders without a change are neither read nor written", async () => {
  const { git, repository, blobs } = await ground();
  const id = blobs[0] ?? "";
  const missing = "1".repeat(40);
  const inside = git(["mktree", "--missing"], `100644 blob ${id}\tfile\n`);
  const base = git(["mktree", "--missing"], `040000 tree ${missing}\tnot-here\n040000 tree ${inside}\tfolder\n`);
  const next = await changeTree(repository, base, [{ path: "folder/other", mode: "100755", id }]);
  expect(git(["ls-tree", next])).toContain(`040000 tree ${missing}\tnot-here`);
  expect(git(["ls-tree", "-r", `${next}:folder`])).toBe(`100644 blob ${id}\tfile\n100755 blob ${id}\tother`);
});

for (const name of [".git/config", "a/.GIT", "a//b", "../out", "a/./b", ""]) {
  test(`a path like ${JSON.stringify(name)} is refused, and nothing is written`, async () => {
    const { byIndex, repository, blobs } = await ground();
    const base = byIndex(null, []);
    const change = [{ path: name, mode: "100644", id: blobs[0] ?? "" }];
    await expect(changeTree(repository, base, change)).rejects.toMatchObject({ code: "E116" });
  });
}
