import { expect, test } from "vitest";
import { strayPaths } from "../../src/version/stray-paths.js";

const tree = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, content]) => {
    const [id = "", mode = "100644"] = content.split(" ");
    return { path, mode, id };
  });

const OLD = tree({ logic: "a", prompt: "b", gone: "c" });
const NEW = tree({ logic: "x", prompt: "y", come: "z" });

test("a tree that is one of its sources, or mixed of them path by path, has none", () => {
  expect(strayPaths(OLD, [OLD])).toEqual([]);
  expect(strayPaths(tree({ logic: "a", prompt: "y", come: "z" }), [OLD, NEW])).toEqual([]);
  // What one of them has not may be missing.
  expect(strayPaths(tree({ logic: "x", prompt: "b" }), [OLD, NEW])).toEqual([]);
});

test("another file, another mode, a new path and one that all sources have and the tree has not are strays", () => {
  expect(strayPaths(tree({ logic: "1", prompt: "b" }), [OLD, NEW])).toEqual(["logic"]);
  expect(strayPaths(tree({ logic: "a 100755", prompt: "b" }), [OLD, NEW])).toEqual(["logic"]);
  expect(strayPaths(tree({ logic: "a", prompt: "b", more: "a" }), [OLD, NEW])).toEqual(["more"]);
  expect(strayPaths(tree({ prompt: "b" }), [OLD, NEW])).toEqual(["logic"]);
  // The same file by another name is another path.
  expect(strayPaths(tree({ logic: "b", prompt: "a" }), [OLD])).toEqual(["gone", "logic", "prompt"]);
});

test("without sources every path is one", () => {
  expect(strayPaths(tree({ a: "1", b: "2" }), [])).toEqual(["a", "b"]);
});
