import { expect, test } from "vitest";
import { describeSnapshot } from "../../src/cli/describe-snapshot.js";
import type { Output } from "../../src/cli/output.js";
import { createStyle } from "../../src/cli/style.js";
import type { ListedSnapshot } from "../../src/snapshot/list-snapshots.js";

const shown = (limits: Partial<ListedSnapshot["limits"]>): string => {
  const security = { user: { uid: 1, gid: 1 }, capabilities: [] };
  const isolation = {
    image: "",
    imageBase: null,
    allowedHosts: [],
    namespaces: [],
    opened: [],
    unenforced: [],
    security,
  };
  const usual = { cpus: 2, memoryBytes: 1, storageBytes: 1, pids: 2, timeoutMs: 1000, gpus: null };
  const snapshot = {
    id: "",
    status: "ready",
    reason: null,
    base: null,
    createdAt: "2026-03-02T09:00:00Z",
    saved: null,
  };
  const whole = {
    ...snapshot,
    expiresAt: snapshot.createdAt,
    committed: null,
    isolation,
    limits: { ...usual, ...limits },
  };
  return describeSnapshot(whole as unknown as ListedSnapshot, { style: createStyle(false) } as Output);
};

test("limits of one are told as one", () => {
  expect(shown({ cpus: 1, pids: 1, gpus: "1" })).toMatch(/limits .*1 processor, .* 1 process, .* 1 GPU$/m);
  expect(shown({ gpus: "2" })).toMatch(/limits .*2 processors, .* 2 processes, .* 2 GPUs$/m);
});
