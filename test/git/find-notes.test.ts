import { expect, test } from "vitest";
import { findNotes } from "../../src/git/find-notes.js";
import type { TreeEntry } from "../../src/git/object.js";

const entry = (mode: string, name: string, id: string): TreeEntry => ({ mode, name: Buffer.from(name), id });

const TREES = new Map([
  ["root", [entry("40000", "ab", "ab"), entry("100644", "cdef01", "flat"), entry("100644", "ab", "no note")]],
  ["ab", [entry("40000", "cd", "abcd"), entry("100644", "ef01", "in one folder")]],
  ["abcd", [entry("100644", "ef", "in two folders"), entry("100644", "e", "no note")]],
]);

test.each([
  ["cdef01", ["flat"]],
  ["abef01", ["in one folder"]],
  ["abcdef", ["in two folders"]],
  ["abcd01", []],
  ["010203", []],
])("the note on %s is %s", async (commit, found) => {
  expect(await findNotes(async (id) => TREES.get(id) ?? [], "root", commit)).toEqual(found);
});
