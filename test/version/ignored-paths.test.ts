import { expect, test } from "vitest";
import { readIgnoredPaths } from "../../src/version/ignored-paths.js";

const ignoredBy = async (files: Readonly<Record<string, string>>, paths: readonly string[]) => {
  const tree = Object.keys(files).map((path) => ({ path, mode: "100644", id: path }));
  return paths.filter(await readIgnoredPaths(tree, async (id) => Buffer.from(files[id] ?? "")));
};

test("the deepest file that says something of a path decides, line by line", async () => {
  const files = {
    ".gitignore": "\uFEFF# all\r\n*.log\r\n\r\n!keep.log\n/out\nlast \\ \ncache/\n",
    "sub/.gitignore": "!*.log\n*.tmp",
  };
  const paths = [
    "a.log",
    "keep.log",
    "sub/b.log",
    "sub/c.tmp",
    "c.tmp",
    "out",
    "sub/out",
    "last  ",
    "cache",
    "x/cache/",
  ];
  expect(await ignoredBy(files, paths)).toEqual(["a.log", "sub/c.tmp", "out", "last  ", "x/cache/"]);
});

test("what a version ignores at any depth is told at once of a path of thousands of folders", async () => {
  const files = { ".gitignore": "**/a/**/a/**/a/**/a/**/a/**/b\n" };
  const folders = "a/".repeat(2000);
  expect(await ignoredBy(files, [`${folders}x`, `${folders}b/x`, `${folders}y`])).toEqual([`${folders}b/x`]);
});
