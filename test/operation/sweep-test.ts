import { expect, test } from "vitest";
import { DistinctCalls } from "./distinct-calls.js";
import { callsOf, sample, sweep } from "./kill-sweep.js";
import { type Blow, COMMIT_POINT, type Strike } from "./run-traced.js";
import type { Prepare } from "./sweep-scenarios.js";

/**
 * `all`: every call that writes, by SIGKILL of the program alone, and a sample of them by the other blows; `errors`: every call that
 * writes fails, as on a broken and on a full disk; without it a few. A call behind an fsync is not struck by itself: a kill finds there
 * what it finds at the fsync; nor is, but for a sample, one that an earlier command of the same file had.
 */
const WANTED =
  process.env["KAI_SWEEP"] === "all" || process.env["KAI_SWEEP"] === "errors" ? process.env["KAI_SWEEP"] : "daily";
const SEED = 20260302;

const ALL = Number.POSITIVE_INFINITY;

/** How many calls of each command are tried by each blow; disk errors have tests of their own in the daily run. */
const BLOWS: readonly ({ readonly blow: Blow } & Readonly<Record<"daily" | "all" | "errors", number>>)[] = [
  { blow: "first", daily: 2, all: ALL, errors: 0 },
  { blow: "all", daily: 0, all: 6, errors: 0 },
  { blow: "caller", daily: 1, all: 6, errors: 0 },
  { blow: "ENOSPC", daily: 0, all: 3, errors: ALL },
  { blow: "EIO", daily: 0, all: 3, errors: ALL },
];

const SYNC = /^\S+ (fsync|fdatasync) /;
const REMOVAL = /^\S+ (unlink|unlinkat|rmdir) /;

function strikesOf(
  { blow, ...counts }: (typeof BLOWS)[number],
  calls: readonly string[],
  { seed, distinct, most = ALL }: { seed: number; distinct: DistinctCalls; most: number | undefined },
): Strike[] {
  // No file system is too full to remove a name, and a name that cannot be removed is left, whoever made it.
  const isError = blow === "ENOSPC" || blow === "EIO";
  const tells = (call: string, index: number) =>
    isError ? !REMOVAL.test(call) : index === 0 || !SYNC.test(calls[index - 1] ?? "");
  const fit = calls.flatMap((call, index) => (tells(call, index) ? [index + 1] : []));
  const count = counts[WANTED];
  if (count === ALL && most === ALL) return distinct.take(calls, fit).map((at) => ({ at, blow }));
  const wanted = Math.min(count, fit.length, most);
  const sampled = sample(fit.length, wanted, seed).map((at) => ({ at: fit[at - 1] ?? 1, blow }));
  if (blow !== "all" || WANTED === "errors" || !calls.some((call) => new RegExp(COMMIT_POINT).test(call)))
    return sampled;
  // Whatever the sample: just before the commit point, just after it, and between the refs that follow.
  return [...sampled, ...[0, 1, 4].map((after) => ({ match: COMMIT_POINT, after, blow }))];
}

/** Strikes each command at its calls, and says how many were tried. */
export function testSweep(scenarios: Readonly<Record<string, Prepare>>): void {
  const distinct = BLOWS.map(() => new DistinctCalls());
  for (const [name, prepare] of Object.entries(scenarios)) {
    test(`${name}, struck at any call that writes, happened whole or not at all`, {
      timeout: WANTED === "daily" ? 300_000 : 3_600_000,
    }, async () => {
      const scenario = await prepare();
      const calls = await callsOf(scenario);
      const lines: string[] = [];
      const failures: string[] = [];
      for (const [number, blow] of BLOWS.entries()) {
        const strikes = strikesOf(blow, calls, {
          seed: SEED + number,
          distinct: distinct[number] ?? new DistinctCalls(),
          most: scenario.most,
        });
        if (strikes.length === 0) continue;
        const result = await sweep(scenario, strikes);
        lines.push(`${blow.blow} ${result.tried} (${result.before} before, ${result.after} after)`);
        failures.push(...result.failures);
      }
      const mixed = `${failures.length} problems`;
      process.stdout.write(`${name}, ${calls.length} calls, struck: ${lines.join("; ")}: ${mixed}\n`);
      for (const failure of failures) process.stdout.write(`  ${failure.slice(0, 600)}\n`);
      expect(failures).toEqual([]);
    });
  }
}
