import { expect, test } from "vitest";
import { describeExecution } from "../../src/cli/describe-snapshot.js";
import type { Output } from "../../src/cli/output.js";
import { createStyle } from "../../src/cli/style.js";
import type { Execution } from "../../src/snapshot/execution.js";

const asked = {
  time: "",
  method: "GET",
  host: "a.example",
  port: 80,
  address: null,
  bytesUp: 0,
  bytesDown: 0,
  durationMs: 1,
};
const EXECUTION: Execution = {
  ...{ id: "", snapshot: null, exitCode: 0, stdout: "", stderr: "", outputDropped: 0, durationMs: 1 },
  ...{
    timedOut: false,
    oomKilled: false,
    resources: {},
    requests: [],
    requestsDropped: 0,
    artifacts: null,
    refused: null,
  },
  ...{ artifactsDropped: 0, unenforced: [], passed: true, failures: [], run: null, branch: null, executable: [] },
  notCommitted: null,
  isolation: { weakened: [] } as unknown as Execution["isolation"],
};
const described = (more: Partial<Execution>) =>
  describeExecution({ ...EXECUTION, ...more }, { style: createStyle(false) } as Output).split("\n");

test("requests that were refused are told, and those that were allowed and failed", () => {
  const requests = [
    { ...asked, allowed: true, reason: null },
    { ...asked, allowed: false, reason: "a.example:80 is not in allowed_hosts" },
    { ...asked, allowed: true, reason: "there is no such name" },
    { ...asked, method: "", host: "", port: null, allowed: false, reason: "not a request that HTTP/1.1 allows" },
  ];
  expect(described({ requests })).toEqual([
    "refused  GET a.example:80  a.example:80 is not in allowed_hosts",
    "failed  GET a.example:80  there is no such name",
    "refused  not a request that HTTP/1.1 allows",
  ]);
});

test("of many requests the first are told, and how many there were", () => {
  const requests = Array.from({ length: 1000 }, () => ({ ...asked, allowed: false, reason: "no" }));
  const lines = described({ requests, requestsDropped: 300 });
  expect(lines).toHaveLength(22);
  expect(lines.slice(-2)).toEqual([
    "and 980 more like these: --json and the run's record have them",
    "300 more requests were not kept",
  ]);
});

test("where it was committed is told with what of that runs on a host", () => {
  expect(
    described({ branch: "kai/snapshot/1", executable: [{ path: "check.sh", reason: "the test runs it" }] }),
  ).toEqual(["✓ Committed to kai/snapshot/1", "  runs     check.sh: the test runs it"]);
});
