import { bool, choice, duration, field, integer, list, name, object, orNull } from "../schema.js";

const CONDITIONS = ["compatibility_check", "dependency_validation", "backup_verification"] as const;
const STEPS = [
  "backup_current",
  "stop_agent",
  "validate_target",
  "restore_code",
  "restore_config",
  "restore_data",
  "restore_dependencies",
  "start_agent",
  "validate_rollback",
  "cleanup",
] as const;
const FALLBACKS = ["emergency_snapshot", "last_known_good"] as const;

const POLICY = object({
  name: field("The policy's name, for `rollback --policy`; no two are alike.", name()),
  conditions: field(
    "What must hold before anything is touched.",
    list(
      object({
        type: field("The condition.", choice(CONDITIONS, undefined)),
        required: field("Whether the rollback is refused where it does not hold.", bool(true)),
      }),
    ),
  ),
  steps: field(
    "The steps, in their order.",
    list(
      object({
        type: field("The step.", choice(STEPS, undefined)),
        timeout: field("The longest that it may take; null: as in the built-in policy.", orNull(duration(undefined))),
        critical: field("Whether its failure ends the rollback.", bool(true)),
      }),
    ),
  ),
});

export const ROLLBACK_SYSTEM = object({
  backup_retention: field("How long backups are kept.", duration("30d")),
  safety_checks: field("Hold to max_rollback_depth, and to the conditions that the policy requires.", bool(true)),
  backup_before_rollback: field(
    "Whether what a rollback saves is kept for that long; live state is saved in any case, else until another operation saves some.",
    bool(true),
  ),
  max_rollback_depth: field("How many versions back a rollback may go.", integer(1, 1_000_000, 10)),
  rollback_timeout: field("The longest that a rollback may take to its commit point.", duration("5m")),
  policies: field("Policies; without any, the built-in one has all ten steps.", list(POLICY)),
  validation: field(
    "What is checked after a rollback.",
    object({
      health_checks: field("The command `lifecycle.health`.", bool(true)),
      performance_benchmarks: field("The tests of kind performance.", bool(true)),
      functionality_tests: field("The tests of kind functionality.", bool(true)),
      integration_tests: field("The tests of kind integration.", bool(true)),
    }),
  ),
  recovery: field(
    "What happens when a rollback fails.",
    object({
      automatic_recovery: field("Recover without being asked.", bool(true)),
      recovery_timeout: field("The longest that it may take.", duration("10m")),
      fallback_strategies: field("What is tried, in this order.", list(choice(FALLBACKS, undefined), [...FALLBACKS])),
    }),
  ),
});
