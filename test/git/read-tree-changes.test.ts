import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { readTreeChanges } from "../../src/git/read-tree-changes.js";
import { diffTrees } from "../../src/git/tree-diff.js";
import { FILES, ground, pathsOf } from "./made-trees.js";

async function readable() {
  const { repository, ...made } = await ground();
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  return { ...made, repository, reader };
}

test("what differs between two trees is what git says, in its order", async () => {
  const { byIndex, repository, reader, blobs } = await readable();
  await fc.assert(
    fc.asyncProperty(FILES, FILES, async (before, after) => {
      const [from, to] = [before, after].map((files) => byIndex(null, pathsOf(files, blobs))) as [string, string];
      expect(await readTreeChanges(reader, from, to)).toEqual(await diffTrees(repository, from, to));
    }),
    { numRuns: 60 },
  );
});

test("modes that old tools wrote, submodules, and a file that becomes a folder differ as git says", async () => {
  const { git, repository, reader, blobs } = await readable();
  const [one, two] = blobs;
  const commit = "1".repeat(40);
  const tree = (lines: string): string => git(["mktree", "--missing"], lines);
  const inside = tree(`100644 blob ${one}\tx\n`);
  const old = git(
    ["hash-object", "-w", "--literally", "-t", "tree", "--stdin"],
    Buffer.concat([Buffer.from("100664 f\0"), Buffer.from(one ?? "", "hex")]),
  );
  const plain = tree(`100644 blob ${one}\tf\n`);
  const mixed = tree(`100644 blob ${two}\tf\n160000 commit ${commit}\tsub\n040000 tree ${inside}\ta\n`);
  const turned = tree(`100755 blob ${two}\tf\n100644 blob ${one}\tsub\n120000 blob ${one}\ta\n`);
  for (const [from, to] of [
    [old, plain],
    [old, mixed],
    [mixed, turned],
    [turned, mixed],
    [plain, plain],
  ] as const) {
    expect(await readTreeChanges(reader, from, to)).toEqual(await diffTrees(repository, from, to));
  }
  await expect(readTreeChanges(reader, plain, commit)).rejects.toMatchObject({ code: "E116" });
});
