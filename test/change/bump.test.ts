import { expect, test } from "vitest";
import { applyBump, demandedBump, highestBump } from "../../src/change/bump.js";

const numbers = (text: string) => {
  const [core = "", prerelease] = text.split("-");
  const [major = 0, minor = 0, patch = 0] = core.split(".").map(Number);
  return { major, minor, patch, prerelease: prerelease ? prerelease.split(".") : [] };
};

test.each([
  ["1.2.3", "none", "1.2.3"],
  ["1.2.3", "patch", "1.2.4"],
  ["1.2.3", "minor", "1.3.0"],
  ["1.2.3", "major", "2.0.0"],
  ["0.2.3", "minor", "0.3.0"],
  ["0.2.3", "major", "1.0.0"],
  ["1.2.3-rc.1", "none", "1.2.3-rc.1"],
  ["1.2.3-rc.1", "patch", "1.2.3"],
  ["1.2.3-rc.1", "minor", "1.3.0"],
  ["1.2.0-rc.1", "minor", "1.2.0"],
  ["1.2.0-rc.1", "major", "2.0.0"],
  ["2.0.0-rc.1", "major", "2.0.0"],
] as const)("%s by %s is %s", (version, bump, expected) => {
  expect(applyBump(numbers(version), bump)).toEqual(numbers(expected));
});

test("before 1.0.0 a breaking change demands minor and a feature patch", () => {
  expect(["none", "patch", "minor", "major"].map((level) => demandedBump(level as "none", false))).toEqual([
    "none",
    "patch",
    "patch",
    "minor",
  ]);
  expect(demandedBump("major", true)).toBe("major");
});

test("the highest of several bumps, none of nothing", () => {
  expect(highestBump(["patch", "major", "minor"])).toBe("major");
  expect(highestBump([])).toBe("none");
});
