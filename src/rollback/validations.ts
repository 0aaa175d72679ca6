import type { AgentConfig, SnapshotTest } from "../agent/config.js";
import type { Validation } from "./plan.js";

const KINDS = [
  ["performance", "performance_benchmarks"],
  ["functionality", "functionality_tests"],
  ["integration", "integration_tests"],
] as const;

/** The kinds of scenarios that `rollback_system.validation` has run. */
export const kindsOf = (wanted: AgentConfig["rollback_system"]["validation"]): SnapshotTest["kind"][] =>
  KINDS.flatMap(([kind, key]) => (wanted[key] ? [kind] : []));

/** What is checked once all is in place. */
export const validationsOf = (health: boolean, tests: readonly SnapshotTest[]): Validation[] => [
  ...(health ? [{ kind: "health", name: "lifecycle.health" } as const] : []),
  ...tests.map(({ kind, name }) => ({ kind, name })),
];
