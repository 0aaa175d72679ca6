import { KaiError } from "../error.js";
import type { RollbackPlan, StateSource } from "./plan.js";
import type { RollbackPolicy } from "./policy.js";
import type { RollbackRequest } from "./request.js";
import type { ConditionType } from "./step-types.js";
import type { Ground } from "./survey.js";

/** A condition of a policy, judged. */
export interface JudgedCondition {
  readonly type: ConditionType;
  readonly required: boolean;
  /** Why it does not hold; null where it does, or is judged only once there is something to judge. */
  readonly problem: string | null;
}

/** Judges what a policy asks for. The backup is verified once it is there, not here. */
export const judgeConditions = (policy: RollbackPolicy, ground: Ground, state: StateSource): JudgedCondition[] =>
  policy.conditions.map(({ type, required }) => ({ type, required, problem: PROBLEMS[type](ground, state) ?? null }));

/** Whether a condition that is required and does not hold refuses. */
export const enforcesConditions = (ground: Ground, { force }: Pick<RollbackRequest, "force">): boolean =>
  ground.config.rollback_system.safety_checks && !force;

export const isBroken = ({ required, problem }: JudgedCondition): boolean => required && problem !== null;

/** Refuses (E125) a rollback for which a condition that its policy requires does not hold; a plan says so as a risk. */
export function requireConditions(
  ground: Ground,
  plan: RollbackPlan,
  request: Pick<RollbackRequest, "force" | "dryRun">,
): void {
  const broken = plan.conditions.find(isBroken);
  if (broken === undefined || request.dryRun || !enforcesConditions(ground, request)) return;
  const { type, problem } = broken;
  throw new KaiError("E125", `The policy ${plan.policy} requires ${type}, which does not hold: ${problem}.`, {
    hint: "`--dry-run` shows the plan with its risks; `--force` goes back all the same, `--policy NAME` by another policy.",
    data: { condition: type },
  });
}

type Judge = (ground: Ground, state: StateSource) => string | undefined;

const PROBLEMS: Readonly<Record<ConditionType, Judge>> = {
  compatibility_check: ({ compatibility, migration }, state) => {
    const breaking = compatibility?.findings.find(({ level }) => level === "major");
    if (breaking) return `a breaking change would be crossed: ${breaking.message}`;
    if (state.kind === "live" && migration.length > 0)
      return `the live state would have to be migrated: ${migration[0]}`;
    return undefined;
  },
  dependency_validation: ({ target, environmentChanges }) => {
    if (target.config === null) return "the target's kai.yaml cannot be read";
    if (environmentChanges && target.config.lifecycle.install.run === null) {
      return "lock files differ, and the target has no lifecycle.install to restore what they name";
    }
    return undefined;
  },
  // What is replaced is always saved, and read back while the agent stands still.
  backup_verification: () => undefined,
};
