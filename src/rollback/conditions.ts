import { KaiError } from "../error.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackPlan } from "./plan.js";
import type { RollbackRequest } from "./request.js";
import type { ConditionType } from "./step-types.js";
import type { Ground } from "./survey.js";

/**
 * Refuses (E125) a rollback for which a condition that its policy requires does not hold. The backup is verified once it is
 * there, not here.
 */
export async function requireConditions(
  session: WritingSession,
  ground: Ground,
  plan: RollbackPlan,
  request: Pick<RollbackRequest, "force" | "dryRun">,
): Promise<void> {
  if (!ground.config.rollback_system.safety_checks || request.force || request.dryRun) return;
  for (const { type, required } of plan.conditions) {
    const problem = required ? PROBLEMS[type](ground, plan, session) : undefined;
    if (problem === undefined) continue;
    throw new KaiError("E125", `The policy ${plan.policy} requires ${type}, which does not hold: ${problem}.`, {
      hint: "`--dry-run` shows the plan with its risks; `--force` goes back all the same, `--policy NAME` by another policy.",
      data: { condition: type },
    });
  }
}

type Judge = (ground: Ground, plan: RollbackPlan, session: WritingSession) => string | undefined;

const PROBLEMS: Readonly<Record<ConditionType, Judge>> = {
  compatibility_check: ({ compatibility, migration }, { state }) => {
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
