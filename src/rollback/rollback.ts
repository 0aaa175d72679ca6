import { KaiError } from "../error.js";
import { asSentence } from "../system/why-failed.js";
import { withWritingSession } from "../version/writing-session.js";
import { requireConditions } from "./conditions.js";
import type { RollbackCaller, Telling } from "./decided.js";
import { type Executed, Execution } from "./execution.js";
import { gatherFacts } from "./gather-facts.js";
import { mintedNumber } from "./mint-version.js";
import { requireNotOvertaken } from "./overtaken.js";
import { goalOf, planRollback, type RollbackPlan } from "./plan.js";
import type { Replaced } from "./put-back.js";
import { type RollbackOptions, type RollbackRequest, requestOf } from "./request.js";
import { partsOf, rollbackMessage } from "./rollback-message.js";
import { StepLog } from "./step-log.js";
import type { StepResult } from "./step-result.js";
import { type Ground, survey } from "./survey.js";

export interface RollbackResult {
  readonly operation: string | null;
  readonly from: string | null;
  /** The version's number; of a snapshot whose files are no version's the operation that it was saved by. */
  readonly to: string;
  readonly type: RollbackRequest["type"];
  /** The commit made; null in a dry run, or where the branch holds the target's tree already. */
  readonly commit: string | null;
  /** What is in force afterwards, and its tag. */
  readonly version: string;
  readonly tag: string;
  readonly steps: readonly StepResult[];
  readonly plan: RollbackPlan;
  /** The ref that holds what was overwritten of the files, and the one that holds the live state of before. */
  readonly backup: string | null;
  readonly stateBackup: string | null;
  /** What was replaced of the things that git ignores, and where it is kept for `backup_retention`. */
  readonly replaced: readonly Replaced[];
  readonly undone: number;
  /** False where a step behind the commit point failed that the policy calls critical. */
  readonly ok: boolean;
}

/**
 * Goes back: the plan is made of what is there, and each of its steps is done or, before the commit point, taken back. What
 * fails behind that is in the result (`ok`); the caller decides on a way out of it (`rollBackSafely`).
 */
export function rollBack(caller: RollbackCaller, options: RollbackOptions): Promise<RollbackResult> {
  const request = requestOf(options);
  return withWritingSession(caller, { purpose: "rollback", untracked: "no" }, async (session) => {
    requireNotOvertaken(session.history.current, request.decidedOn);
    caller.progress("Looking at what changed");
    const ground = await survey(session, request);
    const minted = ground.version === undefined ? mintedNumber(session, request.taken) : undefined;
    const prepared = await gatherFacts(session, request, ground, minted?.number.text ?? null);
    const plan = planRollback(prepared.facts);
    const steps = new StepLog(plan, caller.onStep, {
      interrupted: caller.interrupted,
      recoveryMs: request.withinMs,
      forced: request.force,
    });
    const telling = tell(ground, request, session.id, minted?.number.text);
    const execution = new Execution(session, caller, { request, ground, prepared, plan, minted, telling }, steps);
    await steps.run("validate_target", () => execution.validateTarget());
    requireConditions(ground, plan, request);
    if (request.dryRun) return resultOf(ground, request, plan, plannedSteps(plan), minted?.tag, null);
    const executed = await execution.run().catch((cause: unknown) => {
      throw withSteps(cause, steps);
    });
    const result = resultOf(ground, request, plan, steps.results, minted?.tag, executed);
    return { ...result, operation: session.id, ok: steps.failure === undefined };
  });
}

function tell(ground: Ground, request: RollbackRequest, operation: string, minted: string | undefined): Telling {
  const { from, target, version, stateAlone } = ground;
  const to = target.version?.tag ?? target.name;
  const { type, recovers, components, paths } = request;
  const parts = stateAlone ? null : partsOf(request);
  return {
    kind: "rollback",
    subject: `rollback ${from?.tag ?? "nothing"} -> ${goalOf({ stateAlone, to })}${shortly(parts)}`,
    message: rollbackMessage(ground, request, operation, minted),
    withdrawn: from && from !== version ? [from.number.text] : [],
    restored: version?.withdrawn ? [version.number.text] : [],
    details: {
      type,
      from: from?.number.text ?? null,
      to: target.version?.number.text ?? target.name,
      ...(components.length > 0 && { components }),
      ...(paths.length > 0 && { paths }),
      ...(recovers !== undefined && { recovers }),
    },
    noteOn: from?.commit,
  };
}

const LONGEST_PARTS = 60;

const shortly = (parts: string | null): string => {
  if (parts === null) return "";
  return ` (${parts.length > LONGEST_PARTS ? `${parts.slice(0, LONGEST_PARTS - 1)}…` : parts})`;
};

/** An error behind the first step tells what became of the others. */
export function withSteps(cause: unknown, steps: StepLog): unknown {
  if (!(cause instanceof KaiError) || steps.results.length <= 1) return cause;
  const { code, message, exit, data } = cause;
  const hint = [whatBecameOfAgent(steps), cause.hint].flatMap((each) => each ?? []).join(" ") || undefined;
  return new KaiError(code, message, { hint, exit, data: { ...data, steps: steps.results }, cause });
}

/** That it stands still, or was never stopped, a sentence; undefined where it runs as before. */
function whatBecameOfAgent({ results }: StepLog): string | undefined {
  const start = results.find(({ type }) => type === "start_agent");
  if (start?.status !== "failed") return start?.remarks[0];
  return `The agent was stopped and does not run again: ${asSentence(start.error ?? "")} No agent runs now.`;
}

export const plannedSteps = (plan: RollbackPlan): StepResult[] =>
  plan.steps.map(({ type, applies }) => {
    return { type, status: applies ? "planned" : "skipped", durationMs: null, error: null, output: null, remarks: [] };
  });

function resultOf(
  { from, target, version }: Ground,
  request: RollbackRequest,
  plan: RollbackPlan,
  steps: readonly StepResult[],
  tagOfMinted: string | undefined,
  executed: Executed | null,
): RollbackResult {
  return {
    operation: null,
    from: from?.number.text ?? null,
    to: target.version?.number.text ?? target.name,
    type: request.type,
    commit: executed?.restored.commit ?? null,
    version: version?.number.text ?? plan.mints ?? "",
    tag: version?.tag ?? tagOfMinted ?? "",
    steps,
    plan,
    backup: executed?.backup ?? null,
    stateBackup: executed?.stateBackup ?? null,
    replaced: executed?.replaced ?? [],
    undone: plan.undone,
    ok: true,
  };
}
