import type { AgentConfig } from "../agent/config.js";
import type { JudgedCondition } from "./conditions.js";
import { longestTime } from "./longest-time.js";
import type { RollbackPolicy } from "./policy.js";
import type { Risk } from "./risks.js";
import { STEP_KINDS, type StepType } from "./step-types.js";
import { WORK } from "./work-of-steps.js";

export const ROLLBACK_TYPES = ["version", "snapshot", "selective", "partial", "emergency"] as const;
export type RollbackType = (typeof ROLLBACK_TYPES)[number];

/** Where the state comes from that the agent has afterwards. */
export type StateSource =
  | { readonly kind: "capture"; readonly ref: string; readonly digest: string | null }
  /** The live state, taken to the target by the command of the version that is left. */
  | { readonly kind: "migrated"; readonly run: string; readonly forward: boolean }
  | { readonly kind: "live"; readonly why: string };

/** The shell commands that a rollback runs, each with its time-out; null where there is none. */
export interface PlannedCommands {
  readonly stop: PlannedCommand | null;
  readonly install: PlannedCommand | null;
  readonly start: PlannedCommand | null;
  readonly health: PlannedCommand | null;
  readonly migrate: PlannedCommand | null;
  /** Whether the version that is left has a command that starts it, so that what it started can be found and ended. */
  readonly runs: boolean;
}

export interface PlannedCommand {
  readonly run: string;
  readonly timeoutMs: number;
}

/** What a plan is made of: all of it read before, nothing of it written. */
export interface PlanFacts {
  readonly type: RollbackType;
  /** On a copy on this host, so that no agent may run there. */
  readonly leavesAgent: boolean;
  readonly from: string | null;
  /** The version or backup that is gone back to. */
  readonly to: string;
  /** The number of the version that has to be made, because its tree is no version yet; null where it is one. */
  readonly mints: string | null;
  /** Whether nothing but state goes back: `from` stays in force, with the state of `to`. */
  readonly stateAlone: boolean;
  /** Whether the agent is to run under the number of another version, although no file of it differs. */
  readonly renumbers: boolean;
  /** The role that it takes to sign it, and why not that of an operator alone. */
  readonly takes: Takes;
  readonly deployment: PlannedDeployment | null;
  readonly policy: RollbackPolicy;
  readonly conditions: readonly JudgedCondition[];
  readonly commands: PlannedCommands;
  /** Whether a lock file or another part of the environment differs. */
  readonly environmentChanges: boolean;
  /** How many paths that git ignores are put back as an operation found them. */
  readonly putsBack: number;
  readonly state: StateSource;
  /** Whether the live state is saved before. */
  readonly saveState: boolean;
  readonly files: { readonly changed: number; readonly config: number };
  /** How many commits; 0 where a part goes back. */
  readonly undone: number;
  /** What is checked afterwards, by name. */
  readonly validations: readonly Validation[];
  readonly risks: readonly Risk[];
  /** Milliseconds that a step took before, by type. */
  readonly earlier: ReadonlyMap<StepType, number>;
  /** Milliseconds to the commit point. */
  readonly timeoutMs: number;
  readonly recovery: Recovery;
}

export interface Takes {
  readonly role: "operator" | "releaser";
  /** Why it takes a releaser; null where it does not. */
  readonly why: string | null;
}

/** Where the agent is deployed, and which version is there before and after. */
export interface PlannedDeployment {
  readonly root: string;
  readonly from: string;
  readonly to: string;
}

/** What is done where what comes into force is not well. */
export interface Recovery {
  readonly automatic: boolean;
  readonly timeoutMs: number;
  /** Tried in this order. */
  readonly strategies: readonly FallbackStrategy[];
}

export type FallbackStrategy = AgentConfig["rollback_system"]["recovery"]["fallback_strategies"][number];

export interface Validation {
  readonly kind: "health" | "performance" | "functionality" | "integration";
  readonly name: string;
}

export interface PlanStep {
  readonly type: StepType;
  readonly does: string;
  /** False where there is nothing to do; `does` says why. */
  readonly applies: boolean;
  readonly dependsOn: readonly StepType[];
  readonly command: string | null;
  /** The time that it has; its command is ended when that is over. */
  readonly timeoutMs: number;
  /** Milliseconds that it takes at most, until what does not end in its time was ended: SIGTERM, then SIGKILL. */
  readonly longestMs: number;
  readonly critical: boolean;
  readonly compensation: string | null;
  /** Milliseconds, from earlier rollbacks on this machine; null where there was none. */
  readonly estimateMs: number | null;
}

/** What a rollback will do; nothing has been touched. */
export interface RollbackPlan {
  readonly format: "kai-rollback-plan/1";
  readonly type: RollbackType;
  readonly from: string | null;
  readonly to: string;
  readonly mints: string | null;
  readonly stateAlone: boolean;
  readonly takes: Takes;
  /** Null where it is not deployed. */
  readonly deployment: PlannedDeployment | null;
  readonly policy: string;
  readonly conditions: readonly JudgedCondition[];
  readonly steps: readonly PlanStep[];
  readonly risks: readonly Risk[];
  readonly validations: readonly Validation[];
  readonly state: StateSource;
  readonly undone: number;
  readonly timeoutMs: number;
  readonly recovery: Recovery;
  /** Milliseconds for all steps; null where no rollback was made here yet. */
  readonly estimateMs: number | null;
}

/** Makes the plan of the facts. */
export function planRollback(facts: PlanFacts): RollbackPlan {
  const { type, from, to, mints, stateAlone, takes, deployment, policy } = facts;
  const { risks, validations, state, undone, timeoutMs, recovery } = facts;
  const steps = policy.steps.map((step): PlanStep => {
    const { dependsOn, timeoutMs: usual, compensation } = STEP_KINDS[step.type];
    const { does, applies, command } = WORK[step.type](facts);
    const timeoutMs = step.timeoutMs ?? command?.timeoutMs ?? usual;
    return {
      type: step.type,
      does,
      applies,
      dependsOn: dependsOn.filter((each) => policy.steps.some((other) => other.type === each)),
      command: command?.run ?? null,
      timeoutMs,
      longestMs: longestTime(step.type, timeoutMs, { hasCommand: command != null }),
      // What is replaced must have been saved, whatever a policy says of a failure.
      critical: step.critical || (step.type === "backup_current" && facts.saveState),
      compensation: applies ? compensation : null,
      estimateMs: applies ? (facts.earlier.get(step.type) ?? null) : 0,
    };
  });
  const known = steps.filter((step) => step.applies && step.estimateMs !== null);
  return {
    format: "kai-rollback-plan/1",
    type,
    from,
    to,
    mints,
    stateAlone,
    takes,
    deployment,
    policy: policy.name,
    conditions: facts.conditions,
    steps,
    risks,
    validations,
    state,
    undone,
    timeoutMs,
    recovery,
    estimateMs: known.length === 0 ? null : known.reduce((sum, step) => sum + (step.estimateMs ?? 0), 0),
  };
}

/** What comes back by it, as a text names it. */
export const goalOf = ({ stateAlone, to }: Pick<RollbackPlan, "stateAlone" | "to">): string =>
  stateAlone ? `the state of ${to}` : to;
