import type { AgentConfig } from "../agent/config.js";

type Policy = AgentConfig["rollback_system"]["policies"][number];
export type StepType = Policy["steps"][number]["type"];
export type ConditionType = Policy["conditions"][number]["type"];

/** What is known of a step before any plan is made. */
interface StepKind {
  /** Steps that have to be over before. */
  readonly dependsOn: readonly StepType[];
  /** Milliseconds; where neither the policy nor the step's command says otherwise. */
  readonly timeoutMs: number;
  /** A rollback without it would be none, or not be proven: no policy can leave it out or go on when it fails. */
  readonly always: boolean;
  /** What is done where a later step fails before the commit point; null for nothing. */
  readonly compensation: string | null;
}

const minutes = (count: number): number => count * 60_000;
const RESTORED_AFTER: readonly StepType[] = ["validate_target", "restore_dependencies", "stop_agent", "backup_current"];

/**
 * The ten steps, in the order in which they run: what can fail without harm comes first, the agent stands still as briefly
 * as it can, and its state is saved once nothing writes it any more. The `restore_*` steps are one: the commit point.
 */
export const STEP_KINDS: Readonly<Record<StepType, StepKind>> = {
  validate_target: { dependsOn: [], timeoutMs: minutes(2), always: true, compensation: null },
  restore_dependencies: {
    dependsOn: ["validate_target"],
    timeoutMs: minutes(3),
    always: false,
    compensation: "remove what was installed aside",
  },
  stop_agent: {
    dependsOn: ["validate_target", "restore_dependencies"],
    timeoutMs: 30_000,
    always: false,
    compensation: "start the agent again as it was",
  },
  backup_current: {
    dependsOn: ["validate_target", "stop_agent"],
    timeoutMs: minutes(5),
    always: false,
    compensation: null,
  },
  restore_code: {
    dependsOn: RESTORED_AFTER,
    timeoutMs: minutes(3),
    always: true,
    compensation: "remove what was staged",
  },
  restore_config: {
    dependsOn: RESTORED_AFTER,
    timeoutMs: minutes(1),
    always: true,
    compensation: "remove what was staged",
  },
  restore_data: {
    dependsOn: RESTORED_AFTER,
    timeoutMs: minutes(3),
    always: false,
    compensation: "remove what was staged",
  },
  start_agent: {
    dependsOn: ["restore_code", "restore_config", "restore_data"],
    timeoutMs: minutes(2),
    always: false,
    compensation: null,
  },
  validate_rollback: { dependsOn: ["start_agent"], timeoutMs: minutes(5), always: false, compensation: null },
  cleanup: { dependsOn: ["validate_rollback"], timeoutMs: minutes(1), always: false, compensation: null },
};

export const STEP_ORDER = Object.keys(STEP_KINDS) as readonly StepType[];
