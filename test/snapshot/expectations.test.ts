import { expect, test } from "vitest";
import { judgeExpectations } from "../../src/snapshot/testing/expectations.js";

const fine = { exitCode: 0, stdout: "hello world\n", durationMs: 40, timedOut: false, oomKilled: false, resources: {} };

test("without expectations, exit status 0 is what passes", () => {
  expect(judgeExpectations(fine, {})).toEqual([]);
  expect(judgeExpectations({ ...fine, exitCode: 3 }, {})).toEqual(["Exit status 3, expected 0."]);
});

test("every expectation that is not met is said", () => {
  expect(
    judgeExpectations(
      { ...fine, resources: { peakMemory: 2000 } },
      { exitCode: 2, stdout: "moon", stdoutMatches: "^bye", maxDurationMs: 10, maxMemoryBytes: 1000 },
    ),
  ).toEqual([
    "Exit status 0, expected 2.",
    'stdout lacks "moon"; it is "hello world\\n".',
    'stdout does not match /^bye/; it is "hello world\\n".',
    "It took 40 ms, at most 10 ms were expected.",
    "It used 2.0 KiB of memory, at most 1000 B were expected.",
  ]);
});

test("an expectation that cannot be measured is not passed", () => {
  expect(judgeExpectations(fine, { maxMemoryBytes: 10 })).toEqual([
    "Its memory could not be measured on this machine.",
  ]);
});

test("a time-out and a lack of memory are said as such, not as an exit status", () => {
  expect(judgeExpectations({ ...fine, exitCode: 137, timedOut: true }, {})).toEqual([
    "It was ended after 40 ms: out of time.",
  ]);
  expect(judgeExpectations({ ...fine, exitCode: 137, oomKilled: true }, {})).toEqual([
    "It ran out of memory and was killed.",
  ]);
});
