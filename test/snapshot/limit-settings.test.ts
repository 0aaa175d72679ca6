import { expect, test } from "vitest";
import { limitsOf } from "../../src/snapshot/limit-settings.js";

const LIMITS = {
  cpu: "2",
  memory: "4Gi",
  storage: "10Gi",
  pids: 512,
  network_bandwidth: "100Mbps",
  gpu: null,
  timeout: "30m",
};

test("what the caller asks for goes before kai.yaml", () => {
  expect(limitsOf(LIMITS, { memory: "64Mi", storage: "4Mi", pids: "9", cpus: "0.5", timeout: "1m" })).toEqual({
    cpus: 0.5,
    memoryBytes: 64 * 2 ** 20,
    storageBytes: 4 * 2 ** 20,
    pids: 9,
    bandwidth: 1e8,
    gpus: null,
    timeoutMs: 60_000,
  });
});

test.each([
  [{ memory: "4095Ki" }, "No sandbox begins with so little memory as 4095Ki."],
  [{ storage: "1" }, "No sandbox's file system is as small as 1."],
  [{ pids: "1" }, "--pids takes a number from 2 to 4194304"],
  [{ cpus: "0" }, "--cpus takes a number from 0.01 to 1024"],
  [{ gpus: "-1" }, "--gpus takes a number of GPUs or `all`"],
])("refuses a limit that nothing begins with: %j", (options, words) => {
  expect(() => limitsOf(LIMITS, options)).toThrowError(words);
});

test("refuses one of kai.yaml all the same", () => {
  expect(() => limitsOf({ ...LIMITS, storage: "100k" }, {})).toThrowError("as small as 100k");
});
