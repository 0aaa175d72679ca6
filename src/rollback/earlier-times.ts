import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { writeDurably } from "../system/durable-file.js";
import type { StepResult } from "./step-result.js";
import { STEP_ORDER, type StepType } from "./step-types.js";

/** How many rollbacks an estimate is made of. */
const KEPT = 20;

type Times = Partial<Record<StepType, number[]>>;

const fileOf = (repository: Repository): string => path.join(kaiFolderOf(repository).cache, "rollback-times.json");

/** What each step took on this machine: the median of the last rollbacks, in milliseconds. */
export async function readEarlierTimes(repository: Repository): Promise<ReadonlyMap<StepType, number>> {
  const times = await readTimes(repository);
  return new Map(
    STEP_ORDER.flatMap((type): [StepType, number][] => {
      const sorted = [...(times[type] ?? [])].sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)];
      return median === undefined ? [] : [[type, median]];
    }),
  );
}

/** Adds what a rollback took. Only estimates are made of it: where it cannot be written nothing is lost. */
export async function rememberTimes(repository: Repository, results: readonly StepResult[]): Promise<void> {
  const times = await readTimes(repository);
  for (const { type, status, durationMs } of results) {
    if (status === "done" && durationMs !== null) times[type] = [...(times[type] ?? []), durationMs].slice(-KEPT);
  }
  await writeDurably(fileOf(repository), JSON.stringify(times)).catch(() => {});
}

async function readTimes(repository: Repository): Promise<Times> {
  try {
    const value: unknown = JSON.parse(await readFile(fileOf(repository), "utf8"));
    const entries = Object.entries(value ?? {}).filter(
      ([type, list]) => STEP_ORDER.includes(type as StepType) && Array.isArray(list) && list.every(Number.isFinite),
    );
    return Object.fromEntries(entries) as Times;
  } catch {
    // None yet, or damaged: it is a cache.
    return {};
  }
}
