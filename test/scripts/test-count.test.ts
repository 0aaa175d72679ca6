import { expect, test } from "vitest";
import { countTests } from "../../scripts/test-count.mjs";

const report = (...files: { status: string; tests: string[] }[]): string =>
  JSON.stringify({
    testResults: files.map(({ status, tests }) => ({
      status,
      assertionResults: tests.map((each) => ({ status: each })),
    })),
  });

test("counts what passed and what failed", () => {
  const mixed = report({ status: "failed", tests: ["passed", "failed"] }, { status: "passed", tests: ["passed"] });
  expect(countTests(mixed, 1)).toEqual({ passed: 2, failed: 1 });
});

test("a file that cannot be loaded is a failure", () => {
  const broken = report({ status: "failed", tests: [] }, { status: "passed", tests: ["passed"] });
  expect(countTests(broken, 1)).toEqual({ passed: 1, failed: 1 });
});

test("an error outside of every test is a failure", () => {
  expect(countTests(report({ status: "passed", tests: ["passed"] }), 1)).toEqual({ passed: 1, failed: 1 });
});

test("no report is a failure, and so is a run that a signal ended", () => {
  expect(countTests(undefined, 1)).toEqual({ passed: 0, failed: 1 });
  expect(countTests(undefined, null)).toEqual({ passed: 0, failed: 1 });
});

test("a skipped test has not passed", () => {
  expect(countTests(report({ status: "passed", tests: ["pending", "passed"] }), 0)).toEqual({ passed: 1, failed: 0 });
});
