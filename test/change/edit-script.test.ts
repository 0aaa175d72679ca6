import fc from "fast-check";
import { expect, test } from "vitest";
import { editScript } from "../../src/change/edit-script.js";

const short = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const [first, ...rest] = a;
  if (first === undefined || b.length === 0) return 0;
  const at = b.indexOf(first);
  const without = longestCommon(rest, b);
  return at === -1 ? without : Math.max(without, 1 + longestCommon(rest, b.slice(at + 1)));
}

test("leads from the one to the other, and keeps as much as can be kept", () => {
  fc.assert(
    fc.property(short, short, (before, after) => {
      const edits = editScript(before, after);
      const kept = edits.flatMap((edit) => (edit.kind === "keep" ? [edit] : []));
      expect(edits.flatMap((edit) => (edit.kind === "add" ? [] : [edit.before]))).toEqual([...before.keys()]);
      expect(edits.flatMap((edit) => (edit.kind === "remove" ? [] : [edit.after]))).toEqual([...after.keys()]);
      expect(kept.map((edit) => before[edit.before])).toEqual(kept.map((edit) => after[edit.after]));
      expect(kept).toHaveLength(longestCommon(before, after));
    }),
  );
});

test("two long texts with nothing in common are told as replaced", () => {
  const lines = (prefix: string) => Array.from({ length: 20_000 }, (_, index) => `${prefix}${index}`);
  const edits = editScript(["head", ...lines("a")], ["head", ...lines("b")]);
  expect(edits[0]).toEqual({ kind: "keep", before: 0, after: 0 });
  expect(edits).toHaveLength(40_001);
});
