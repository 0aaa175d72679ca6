import { type AgentConfig, builtInIsolation } from "../agent/config.js";
import { parseDuration, parseRate, parseSize } from "../agent/quantity.js";
import type { Opening } from "./opening.js";
import type { SnapshotOptions } from "./snapshot-settings.js";

type Isolation = AgentConfig["snapshot_isolation"];

/** A scenario that brings a time of its own. */
export interface TimedScenario {
  readonly name: string;
  readonly timeout: string | null;
}

/** What a sandbox is for, beside what its caller asks. */
export interface SandboxUse {
  /** Whether it is there until somebody takes it away, so that `cleanup_after` bounds what is left running in it. */
  readonly stays?: boolean;
  readonly scenario?: TimedScenario | null | undefined;
}

interface Limit {
  readonly key: string;
  /** The caller's own word for it. */
  readonly option: keyof SnapshotOptions;
  readonly flag: string;
  readonly amountOf: (written: string) => number;
  readonly readFrom: (isolation: Isolation) => string | number | null;
}

const gpusIn = (written: string): number => (written === "all" ? Number.POSITIVE_INFINITY : Number(written));

const limit = (
  name: keyof Isolation["resource_limits"],
  option: keyof SnapshotOptions,
  amountOf: Limit["amountOf"],
): Limit => ({
  key: `resource_limits.${name}`,
  option,
  flag: `--${option}`,
  amountOf,
  readFrom: ({ resource_limits }) => resource_limits[name],
});

const TIMEOUT = limit("timeout", "timeout", parseDuration);
const BANDWIDTH = limit("network_bandwidth", "bandwidth", parseRate);
const LIFE: Limit = {
  key: "cleanup_after",
  option: "ttl",
  flag: "--ttl",
  amountOf: parseDuration,
  readFrom: ({ cleanup_after }) => cleanup_after,
};
const LIMITS: readonly Limit[] = [
  limit("cpu", "cpus", Number),
  limit("memory", "memory", parseSize),
  limit("storage", "storage", parseSize),
  limit("pids", "pids", Number),
  BANDWIDTH,
  TIMEOUT,
  limit("gpu", "gpus", gpusIn),
  LIFE,
];

/** Where a kai.yaml takes more than is built in, and the caller named no limit himself. */
export function openedLimits(
  isolation: Isolation,
  options: SnapshotOptions,
  { stays = false, scenario = null }: SandboxUse,
): Opening[] {
  const usual = builtInIsolation();
  const hasNetwork = (options.network ?? isolation.network.mode) !== "none";
  const openings = LIMITS.flatMap((each): Opening[] => {
    if (options[each.option] !== undefined || (each === LIFE && !stays) || (each === BANDWIDTH && !hasNetwork))
      return [];
    if (each === TIMEOUT && scenario?.timeout) return [];
    const value = writtenIn(each, isolation);
    return each.amountOf(value) > each.amountOf(writtenIn(each, usual)) ? [{ key: each.key, value }] : [];
  });
  return scenario ? [...openings, ...openedTimes([scenario], options)] : openings;
}

/** Where scenarios take more time than is built in, and the caller names none, beyond which theirs never goes. */
export function openedTimes(scenarios: readonly TimedScenario[], { timeout: asked }: SnapshotOptions): Opening[] {
  if (asked !== undefined) return [];
  const usual = parseDuration(writtenIn(TIMEOUT, builtInIsolation()));
  return scenarios.flatMap(({ name, timeout }) =>
    timeout !== null && parseDuration(timeout) > usual ? [{ key: scenarioKey(name), value: timeout }] : [],
  );
}

/** Whether one opens as much as the other of the same key, or more. */
export function isAsOpen(known: Opening, opening: Opening): boolean {
  if (known.key !== opening.key) return false;
  const amountOf = isScenarioKey(opening.key) ? parseDuration : LIMITS.find(({ key }) => key === opening.key)?.amountOf;
  return known.value === opening.value || (amountOf !== undefined && amountOf(known.value) >= amountOf(opening.value));
}

/** The options that set what these open to what is built in: `--memory 4Gi`. */
export function usualLimits(openings: readonly Opening[]): string[] {
  const usual = builtInIsolation();
  return LIMITS.flatMap((each) =>
    openings.some(({ key }) => key === each.key) ? [`${each.flag} ${writtenIn(each, usual)}`] : [],
  );
}

/** The option that allows scenarios the time of their own: `--timeout 24h`. */
export function scenarioTimes(openings: readonly Opening[]): string[] {
  return openings.flatMap(({ key, value }) => (isScenarioKey(key) ? [`${TIMEOUT.flag} ${value}`] : []));
}

const writtenIn = ({ readFrom }: Limit, isolation: Isolation): string => String(readFrom(isolation) ?? 0);

const scenarioKey = (name: string): string => `tests.${name}.timeout`;

const isScenarioKey = (key: string): boolean => key.startsWith("tests.");
