import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { LoggedEntry, OperationKind } from "../../src/operation/entry.js";
import { type MetricSources, readMetrics } from "../../src/rollback/read-metrics.js";
import { scratch } from "../support/scratch.js";

const entry = (id: string, kind: OperationKind, details: Record<string, unknown> = {}): LoggedEntry =>
  ({ id, kind, details }) as unknown as LoggedEntry;

function sources(run: string | null, more: Partial<MetricSources> = {}): MetricSources {
  const { dir, env } = scratch();
  const health = run === null ? null : { run, cwd: dir, timeoutMs: 20_000, env: {}, retries: 1 };
  return { health, env, folder: dir, log: [], inForceSince: null, now: new Date("2026-05-06T12:00:00Z"), ...more };
}

test("health is 1 or 0, with how often it did not pass; it is asked for once for both", async () => {
  const asked = "echo x >> tries; [ $(wc -l < tries) -ge 2 ]";
  expect(await readMetrics(["health", "health_failures"], sources(asked))).toEqual({ health: 1, health_failures: 1 });
  expect(await readMetrics(["health", "health_failures"], sources("false"))).toEqual({ health: 0, health_failures: 2 });
  expect(await readMetrics(["health"], sources("true"))).toEqual({ health: 1 });
});

test("what is not asked for is not measured", async () => {
  const given = sources("touch measured");
  expect(await readMetrics(["minutes_in_force"], given)).toEqual({ minutes_in_force: null });
  expect(existsSync(path.join(given.folder, "measured"))).toBe(false);
});

test("health without a command that tells it is refused", async () => {
  await expect(readMetrics(["health"], sources(null))).rejects.toMatchObject({ code: "E122" });
});

test("this machine's load is in percent", async () => {
  const names = ["cpu_usage", "memory_usage", "disk_usage"] as const;
  const measured = await readMetrics(names, sources(null));
  expect(Object.keys(measured)).toEqual(names);
  for (const name of names) {
    expect(measured[name]).toBeGreaterThanOrEqual(0);
    expect(measured[name]).toBeLessThanOrEqual(100);
  }
  expect(measured.memory_usage).toBeGreaterThan(0);
});

test("time in force is in minutes, and never negative where clocks differ", async () => {
  const since = (inForceSince: Date) => readMetrics(["minutes_in_force"], sources(null, { inForceSince }));
  expect(await since(new Date("2026-05-06T11:52:30Z"))).toEqual({ minutes_in_force: 7.5 });
  expect(await since(new Date("2026-05-06T12:01:00Z"))).toEqual({ minutes_in_force: 0 });
});

test("the success of rollbacks is read from the log", async () => {
  const rate = async (...log: LoggedEntry[]) =>
    (await readMetrics(["rollback_success_rate"], sources(null, { log }))).rollback_success_rate;
  expect(await rate(entry("A", "create"), entry("B", "undo"))).toBeNull();
  expect(await rate(entry("A", "rollback"))).toBe(1);
  expect(
    await rate(
      entry("A", "rollback"),
      entry("B", "outcome", { of: "A", kind: "rollback", ok: true }),
      entry("C", "rollback"),
      entry("D", "outcome", { of: "C", kind: "rollback", ok: false }),
      entry("E", "outcome", { of: "Z", kind: "rollback", ok: false }),
      entry("F", "outcome", { of: "Y", kind: "deploy", ok: false }),
      entry("G", "rollback"),
    ),
  ).toBe(0.5);
});
