import fc from "fast-check";
import { expect, test } from "vitest";
import { diffFiles } from "../../src/change/file-diff.js";

const file = (path: string, oid: string, mode = "100644") => ({ path, mode, oid });
const folderOf = (path: string) => path.split("/")[0] ?? "";

test("tells added, removed and modified files with their component, sorted by path", () => {
  const before = [file("code/b", "1"), file("code/a", "2"), file("data/old", "3"), file("code/same", "4")];
  const after = [file("code/same", "4"), file("code/b", "9"), file("code/a", "2", "100755"), file("data/new", "5")];
  expect(diffFiles(before, after, folderOf)).toEqual({
    added: [{ path: "data/new", component: "data", to: { mode: "100644", oid: "5" } }],
    removed: [{ path: "data/old", component: "data", from: { mode: "100644", oid: "3" } }],
    modified: [
      { path: "code/a", component: "code", from: { mode: "100644", oid: "2" }, to: { mode: "100755", oid: "2" } },
      { path: "code/b", component: "code", from: { mode: "100644", oid: "1" }, to: { mode: "100644", oid: "9" } },
    ],
  });
});

test("a file of the same content elsewhere is a rename, of the same name by preference, each once", () => {
  const before = [file("a/__init__.py", "e"), file("b/x.py", "e"), file("kept", "k")];
  const after = [
    file("c/0.py", "e"),
    file("c/__init__.py", "e"),
    file("c/more.py", "e"),
    file("kept", "k"),
    file("copy", "k"),
  ];
  const { added, removed } = diffFiles(before, after, folderOf);
  expect(added.map(({ path, renamedFrom }) => [path, renamedFrom])).toEqual([
    ["c/0.py", "b/x.py"],
    ["c/__init__.py", "a/__init__.py"],
    ["c/more.py", undefined],
    ["copy", undefined],
  ]);
  expect(removed).toHaveLength(2);
});

const files = fc.uniqueArray(
  fc.record({
    path: fc.string(),
    mode: fc.constantFrom("100644", "100755", "120000"),
    oid: fc.constantFrom("1", "2", "3"),
  }),
  { selector: ({ path }) => path },
);

test("nothing differs from itself, and forwards and backwards mirror each other", () => {
  fc.assert(
    fc.property(files, files, (before, after) => {
      expect(diffFiles(before, before, folderOf)).toEqual({ added: [], removed: [], modified: [] });
      const forwards = diffFiles(before, after, folderOf);
      const backwards = diffFiles(after, before, folderOf);
      expect(forwards.added.map(({ path }) => path)).toEqual(backwards.removed.map(({ path }) => path));
      expect(forwards.modified.map(({ from }) => from)).toEqual(backwards.modified.map(({ to }) => to));
    }),
  );
});
