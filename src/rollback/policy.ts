import type { AgentConfig } from "../agent/config.js";
import { nearest } from "../agent/nearest.js";
import { parseDuration } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import { type ConditionType, STEP_KINDS, STEP_ORDER, type StepType } from "./step-types.js";

/** A step as a policy wants it. */
export interface PolicyStep {
  readonly type: StepType;
  /** Milliseconds; null: as the step's command says, else as is usual. */
  readonly timeoutMs: number | null;
  readonly critical: boolean;
}

/** What must hold, and the steps in the order in which they run. */
export interface RollbackPolicy {
  readonly name: string;
  readonly conditions: readonly { readonly type: ConditionType; readonly required: boolean }[];
  readonly steps: readonly PolicyStep[];
}

const wanted = (type: StepType, critical = true): PolicyStep => ({ type, timeoutMs: null, critical });

/** Used where kai.yaml has no policies. Nothing hangs on what is left of a cleanup. */
const BUILT_IN: RollbackPolicy = {
  name: "built-in",
  conditions: [
    { type: "compatibility_check", required: false },
    { type: "dependency_validation", required: false },
    { type: "backup_verification", required: true },
  ],
  steps: STEP_ORDER.map((type) => wanted(type, type !== "cleanup")),
};

/** All that an emergency does: no conditions, and what cannot be installed, stopped or started holds nothing up. */
const EMERGENCY: RollbackPolicy = {
  name: "emergency",
  conditions: [],
  steps: STEP_ORDER.map((type) => wanted(type, STEP_KINDS[type].always || type === "backup_current")),
};

/**
 * The policy that a rollback follows: the one that is named, else the first of the configuration, else the built-in one. Steps
 * stand in the order in which they run, whatever their order in the file; those that no rollback can be without are
 * put in where they are missing. E122 for a name that there is not.
 */
export function choosePolicy(
  config: AgentConfig["rollback_system"],
  { name, emergency }: { name: string | undefined; emergency: boolean },
): RollbackPolicy {
  if (name === undefined && emergency) return EMERGENCY;
  const written = name === undefined ? config.policies[0] : config.policies.find((policy) => policy.name === name);
  if (written === undefined && name !== undefined && name !== BUILT_IN.name) throw noSuchPolicy(config, name);
  if (written === undefined) return withoutConditions(BUILT_IN, emergency);
  const steps = STEP_ORDER.flatMap((type): PolicyStep[] => {
    const step = written.steps.find((each) => each.type === type);
    const { always } = STEP_KINDS[type];
    if (step === undefined) return always ? [wanted(type)] : [];
    return [
      {
        type,
        timeoutMs: step.timeout === null ? null : parseDuration(step.timeout),
        // Behind it all has happened, and what is left of it harms nothing.
        critical: type !== "cleanup" && (always || step.critical),
      },
    ];
  });
  return withoutConditions({ name: written.name, conditions: written.conditions, steps }, emergency);
}

/** In an emergency nothing is waited for or asked, whatever policy is named. */
const withoutConditions = (policy: RollbackPolicy, emergency: boolean): RollbackPolicy =>
  emergency ? { ...policy, conditions: [] } : policy;

/** The same with a step that this rollback cannot be without; it is critical where it has to be put in. */
export function withStep(policy: RollbackPolicy, type: StepType): RollbackPolicy {
  if (hasStep(policy, type)) return policy;
  const steps = [...policy.steps, wanted(type)];
  return { ...policy, steps: steps.sort((a, b) => STEP_ORDER.indexOf(a.type) - STEP_ORDER.indexOf(b.type)) };
}

export const hasStep = (policy: RollbackPolicy, type: StepType): boolean =>
  policy.steps.some((step) => step.type === type);

function noSuchPolicy(config: AgentConfig["rollback_system"], name: string): KaiError {
  const names = [...config.policies.map((policy) => policy.name), BUILT_IN.name];
  const meant = nearest(name, names);
  return new KaiError("E122", `There is no rollback policy ${JSON.stringify(name)}.`, {
    hint: `${meant === undefined ? "" : `Did you mean ${meant}? `}The version in force has ${names.join(", ")}.`,
    data: { policies: names },
  });
}
