import { expect, test } from "vitest";
import { parseRunMessage } from "../../src/snapshot/runs/parse-run.js";
import { formatRunMessage, type RunRecord } from "../../src/snapshot/runs/run-record.js";

const parsed = (record: unknown) => parseRunMessage(formatRunMessage(record as RunRecord));

const OBJECT = "0".repeat(40);

const RUN = {
  format: "kai-run/1",
  id: "01K00000000000000000000000",
  repo: "r",
  agent: "ai.example.clerk",
  version: "1.0.0",
  tag: "v1.0.0",
  commit: OBJECT,
  tree: OBJECT,
  pristine: true,
  snapshot: null,
  scenario: { name: "answers", kind: "functionality" },
  scenarioDigest: null,
  command: ["true"],
  at: "2026-01-01T00:00:00.000Z",
  durationMs: 1.5,
  exitCode: 0,
  timedOut: false,
  oomKilled: false,
  resources: { peakMemory: 1 },
  requests: [],
  requestsDropped: 0,
  artifacts: [{ path: "a", change: "added" }],
  refused: null,
  artifactsDropped: 0,
  outputDropped: 0,
  passed: true,
  failures: [],
  isolation: { network: "none", filesystem: "copy_on_write", process: "container", image: "host", unenforced: [] },
  actor: null,
};

test.each([
  ["", "x"],
  ["x\n", "{}"],
  ["x\n\n", '{"format":"kai-run/1"}'],
  ["x\n\n", "[]"],
  ["x\n\n", "null"],
  ["x\n\n", "[".repeat(1_000_000)],
])("what is no record is none: %j", (subject, line) => {
  expect(parseRunMessage(`${subject}${line}`)).toBeUndefined();
});

test("of a run's record nothing is taken but what is known of one", () => {
  expect(parsed(RUN)).toEqual(RUN);
  let deep: unknown = {};
  for (let level = 0; level < 2_000; level++) deep = { deep };
  const more = {
    ...RUN,
    schemaVersion: 9,
    status: "gone",
    unproven: null,
    deep,
    scenario: { ...RUN.scenario, deep },
    artifacts: [{ ...RUN.artifacts[0], deep }],
    isolation: { ...RUN.isolation, deep },
  };
  expect(parsed(more)).toEqual(RUN);
  expect(parsed({ ...RUN, failures: Array(200_000).fill("x") })?.failures).toHaveLength(200_000);
});

test("a run that an earlier version kept is one, though not with all that is told of one today", () => {
  const { imageBase: _, ...isolation } = { ...RUN.isolation, imageBase: null };
  expect(parsed({ ...RUN, isolation: { ...isolation, settings: { process: "container" } } })).toEqual(RUN);
});

test.each([
  { id: "../../etc" },
  { tree: "HEAD" },
  { durationMs: -1 },
  { durationMs: "1" },
  { exitCode: 0.5 },
  { exitCode: null },
  { outputDropped: 2 ** 60 },
  { at: "2026-01-01" },
  { at: "+012026-01-01T00:00:00.000Z" },
  { at: "2026-99-01T00:00:00.000Z" },
  { command: "true" },
  { command: [null] },
  { scenario: {} },
  { artifacts: [{ path: "a", change: "burnt" }] },
  { requests: [{ host: 1 }] },
  { isolation: null },
  { isolation: [] },
  { environment: {} },
  { actor: "Ada" },
  { format: "kai-run/2" },
])("what is not whole is no run: %j", (wrong) => {
  expect(parsed({ ...RUN, ...wrong })).toBeUndefined();
});
