import { whyNotAllowed } from "./allowed-host.js";
import type { AgentConfig } from "./config.js";
import type { ConfigProblem } from "./config-problem.js";
import type { ConfigValue } from "./read-config.js";

/** Keys that are good each for itself and mean nothing together. A value that is not good is undefined, and passed over. */
export function conflictsOf(config: AgentConfig, values: readonly ConfigValue[], file: string): ConfigProblem[] {
  const conflicts = [
    ...networkConflicts(config),
    ...sameNames(config),
    ...eventConflicts(config),
    ...triggerConflicts(config),
  ];
  return conflicts.map(({ key, message, allowed }) => {
    const from = values.find((value) => value.from && (value.key === key || value.key.startsWith(`${key}.`)))?.from;
    const at = from?.value.at ?? { line: 1, column: 1 };
    return { file, line: at.line, column: at.column, path: from?.path ?? key, message, allowed: allowed ?? [] };
  });
}

interface Conflict {
  key: string;
  message: string;
  allowed?: readonly string[];
}

function* networkConflicts({ snapshot_isolation: { network } }: AgentConfig): Generator<Conflict> {
  const mode: string | undefined = network.mode;
  if (mode === undefined) return;
  if (network.allowed_hosts.length > 0 && mode !== "isolated") {
    yield {
      key: "snapshot_isolation.network.allowed_hosts",
      message: `allowed_hosts has no meaning with network mode ${mode}: set network.mode to isolated, or leave it out.`,
    };
  }
  for (const host of mode === "isolated" ? network.allowed_hosts : []) {
    const why = host === undefined ? undefined : whyNotAllowed(host);
    if (why !== undefined) {
      yield {
        key: "snapshot_isolation.network.allowed_hosts",
        message: `${host} ${why}: name a public host, such as api.example.com, or leave it out.`,
      };
    }
  }
  if (network.allow_internet && mode !== "bridge") {
    yield {
      key: "snapshot_isolation.network.allow_internet",
      message: `allow_internet has no meaning with network mode ${mode}: set network.mode to bridge, or leave it out.`,
      allowed: ["false"],
    };
  }
}

function* sameNames(config: AgentConfig): Generator<Conflict> {
  const named: [string, readonly { name: string | undefined }[]][] = [
    ["snapshot_isolation.tests", config.snapshot_isolation.tests],
    ["rollback_system.policies", config.rollback_system.policies],
    ["monitoring.alerts", config.monitoring.alerts],
  ];
  for (const [key, items] of named) {
    const seen = new Set<string>();
    for (const [index, { name }] of items.entries()) {
      if (name === undefined) continue;
      if (seen.has(name)) {
        yield { key: `${key}[${index}].name`, message: `The name ${JSON.stringify(name)} is given twice in ${key}.` };
      }
      seen.add(name);
    }
  }
}

function* eventConflicts({ events }: AgentConfig): Generator<Conflict> {
  for (const [index, event] of events.entries()) {
    if ((event.webhook === null) === (event.run === null)) {
      yield { key: `events[${index}]`, message: "An event needs either webhook or run." };
    }
  }
}

function* triggerConflicts({ lifecycle: { trigger } }: AgentConfig): Generator<Conflict> {
  const on: AgentConfig["lifecycle"]["trigger"]["on"] | undefined = trigger.on;
  const schedule: string | null | undefined = trigger.schedule;
  if (on === undefined || schedule === undefined) return;
  if (on.includes("schedule") && schedule === null) {
    yield {
      key: "lifecycle.trigger.on",
      message: "The occasion schedule needs lifecycle.trigger.schedule, which says when.",
    };
  }
  if (schedule !== null && !on.includes("schedule")) {
    yield {
      key: "lifecycle.trigger.schedule",
      message: "schedule has no meaning without the occasion: add schedule to lifecycle.trigger.on, or leave it out.",
    };
  }
}
