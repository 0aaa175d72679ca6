import { expect, test } from "vitest";
import { nearest } from "../../src/agent/nearest.js";

const WORDS = ["list", "status", "show", "create"];

test("finds a word with one letter too many, too few, wrong, or two that changed places", () => {
  for (const [typed, meant] of [
    ["lists", "list"],
    ["lst", "list"],
    ["lisp", "list"],
    ["lsit", "list"],
    ["ilst", "list"],
    ["stauts", "status"],
    ["CERATE", "create"],
  ] as const) {
    expect(nearest(typed, WORDS), typed).toBe(meant);
  }
});

test("finds nothing where nothing is close, and the closest of several", () => {
  expect(nearest("banana", WORDS)).toBeUndefined();
  expect(nearest("", WORDS)).toBeUndefined();
  expect(nearest("x".repeat(100), ["x".repeat(100)])).toBeUndefined();
  expect(nearest("ab", ["ba", "abcdef", "abc"])).toBe("ba");
});
