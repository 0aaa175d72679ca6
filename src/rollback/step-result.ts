import type { StepType } from "./step-types.js";

/** What became of a step. */
export interface StepResult {
  readonly type: StepType;
  /** `compensated`: done, and taken back because a later step failed. */
  readonly status: "planned" | "done" | "skipped" | "failed" | "compensated";
  readonly durationMs: number | null;
  readonly error: string | null;
  /** What its commands printed, the last of it where it is long; null where there are none, or they printed nothing. */
  readonly output: string | null;
  /** What is worth knowing and failed nothing. */
  readonly remarks: readonly string[];
}

/** Steps that tell whether it is well; of a way out `recovery_timeout` bounds them. */
export const ASKING: readonly StepType[] = ["start_agent", "validate_rollback"];

/** The first step behind the commit point that found that what is in force is not well, whether or not the policy calls it critical. */
export const illnessOf = (steps: readonly StepResult[]): StepResult | undefined =>
  steps.find(({ type, status }) => status === "failed" && ASKING.includes(type));
