import { formatBytes } from "../../agent/format-bytes.js";
import type { Execution } from "../execution.js";
import type { EarlierResult } from "./earlier-results.js";

/** What a scenario must show; a key that is absent is not looked at. */
export interface Expectations {
  /** Default: 0. */
  exitCode?: number | undefined;
  /** A text that stdout contains. */
  stdout?: string | undefined;
  /** A regular expression that stdout matches somewhere. */
  stdoutMatches?: string | undefined;
  maxDurationMs?: number | undefined;
  maxMemoryBytes?: number | undefined;
  /** How much more time and memory it may take than the earlier result, in percent; no result, nothing to look at. */
  worseThan?: { readonly percent: number; readonly before: EarlierResult } | undefined;
}

/** What is seen of a command that has ended. */
export type Observed = Pick<Execution, "exitCode" | "stdout" | "durationMs" | "timedOut" | "oomKilled" | "resources">;

const SHOWN = 200;

/** What `observed` falls short of, one sentence each; empty where it passed. */
export function judgeExpectations(observed: Observed, expected: Expectations): string[] {
  if (observed.timedOut) return [`It was ended after ${Math.round(observed.durationMs)} ms: out of time.`];
  if (observed.oomKilled && observed.exitCode !== 0) return ["It ran out of memory and was killed."];
  const failures: string[] = [];
  const exitCode = expected.exitCode ?? 0;
  if (observed.exitCode !== exitCode) failures.push(`Exit status ${observed.exitCode}, expected ${exitCode}.`);
  if (expected.stdout !== undefined && !observed.stdout.includes(expected.stdout)) {
    failures.push(`stdout lacks ${quoted(expected.stdout)}; it is ${quoted(observed.stdout)}.`);
  }
  if (expected.stdoutMatches !== undefined && !new RegExp(expected.stdoutMatches, "u").test(observed.stdout)) {
    failures.push(`stdout does not match /${expected.stdoutMatches}/; it is ${quoted(observed.stdout)}.`);
  }
  if (expected.maxDurationMs !== undefined && observed.durationMs > expected.maxDurationMs) {
    failures.push(`It took ${Math.round(observed.durationMs)} ms, at most ${expected.maxDurationMs} ms were expected.`);
  }
  return [...failures, ...judgeMemory(observed, expected), ...judgeAgainst(observed, expected.worseThan)];
}

/** Memory that was not measured, then or now, is not compared. */
function judgeAgainst({ durationMs, resources }: Observed, worseThan: Expectations["worseThan"]): string[] {
  if (worseThan === undefined) return [];
  const { percent, before } = worseThan;
  const isWorse = (now: number, then: number) => now > then * (1 + percent / 100);
  const failures: string[] = [];
  if (isWorse(durationMs, before.durationMs)) {
    failures.push(
      `It took ${Math.round(durationMs)} ms, with ${before.version} ${Math.round(before.durationMs)} ms: at most ${percent}% more were expected.`,
    );
  }
  const { peakMemory } = resources;
  if (peakMemory !== undefined && before.peakMemory !== null && isWorse(peakMemory, before.peakMemory)) {
    failures.push(
      `It used ${formatBytes(peakMemory)} of memory, with ${before.version} ${formatBytes(before.peakMemory)}: at most ${percent}% more were expected.`,
    );
  }
  return failures;
}

function judgeMemory({ resources }: Observed, { maxMemoryBytes }: Expectations): string[] {
  if (maxMemoryBytes === undefined) return [];
  if (resources.peakMemory === undefined) return ["Its memory could not be measured on this machine."];
  return resources.peakMemory > maxMemoryBytes
    ? [`It used ${formatBytes(resources.peakMemory)} of memory, at most ${formatBytes(maxMemoryBytes)} were expected.`]
    : [];
}

const quoted = (text: string): string => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
