import fc from "fast-check";
import { expect, test } from "vitest";
import { changeTree } from "../../src/git/change-tree.js";
import { FILES, ground, PATH, pathsOf } from "./made-trees.js";

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
