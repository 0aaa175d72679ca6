/**
 * How many tests passed and failed, out of Vitest's JSON report and exit status. A file that could not be loaded counts
 * as one failure, and so does an error outside of all tests. A test that did not run is none that passed.
 */
export function countTests(report, status) {
  const files = report === undefined ? [] : JSON.parse(report).testResults;
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === "passed").length;
  const failedTests = tests.filter((test) => test.status === "failed").length;
  const brokenFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = failedTests + brokenFiles;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed };
}
