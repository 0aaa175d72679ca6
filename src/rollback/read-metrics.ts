import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { StartCommand } from "../system/agent-command.js";
import { checkHealth } from "../system/agent-process.js";
import { cpuUsage, diskUsage, memoryUsage } from "../system/machine-load.js";
import type { MetricName, Metrics } from "./condition.js";

/** Where figures come from. */
export interface MetricSources {
  /** The health command of the version in force, where it may be run. */
  readonly health: StartCommand["health"];
  /** The caller's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The folder whose disk is looked at. */
  readonly folder: string;
  readonly log: readonly LoggedEntry[];
  /** When the version in force came into force; null where none is. */
  readonly inForceSince: Date | null;
  readonly now: Date;
}

/** Measures these, and nothing else. E122 where health is asked for and there is no command that tells it. */
export async function readMetrics(names: readonly MetricName[], sources: MetricSources): Promise<Metrics> {
  // Before the health command, which is work for the processors itself.
  const cpu = names.includes("cpu_usage") ? await cpuUsage() : null;
  const asksHealth = names.includes("health") || names.includes("health_failures");
  const health = asksHealth ? await askHealth(sources) : null;
  const figures: Record<MetricName, () => number | null | Promise<number>> = {
    health: () => health && Number(health.ok),
    health_failures: () => health?.failures ?? null,
    cpu_usage: () => cpu,
    memory_usage: memoryUsage,
    disk_usage: () => diskUsage(sources.folder),
    rollback_success_rate: () => rollbackSuccessRate(sources.log),
    minutes_in_force: () => minutesInForce(sources),
  };
  const measured = await Promise.all(names.map(async (name) => [name, await figures[name]()] as const));
  return Object.fromEntries(measured);
}

function askHealth({ health, env }: MetricSources) {
  if (health !== null) return checkHealth(health, { env });
  throw new KaiError(
    "E122",
    "Health cannot be measured: the version in force has no lifecycle.health in its kai.yaml.",
    {
      hint: 'Name the command that tells it: `lifecycle: {health: {run: "curl -fs localhost:8080/health"}}`.',
    },
  );
}

const minutesInForce = ({ inForceSince, now }: MetricSources): number | null =>
  inForceSince && Math.max(0, (now.getTime() - inForceSince.getTime()) / 60_000);

/**
 * The part of all rollbacks after which no entry of kind `outcome` says that they failed, by its details `{of, kind, ok}`: the
 * operation's id, its kind, and false. One that failed before its commit point has that entry alone. Null without any.
 */
function rollbackSuccessRate(log: readonly LoggedEntry[]): number | null {
  const tried = new Set<string>();
  const failed = new Set<string>();
  for (const { id, kind, details } of log) {
    if (kind === "rollback") tried.add(id);
    const { of } = details;
    if (kind !== "outcome" || details["kind"] !== "rollback" || typeof of !== "string") continue;
    tried.add(of);
    if (details["ok"] === false) failed.add(of);
  }
  return tried.size === 0 ? null : (tried.size - failed.size) / tried.size;
}
