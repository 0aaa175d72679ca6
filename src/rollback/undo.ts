import { takeBackIll } from "../deploy/take-back-ill.js";
import { type UndoneDeployment, undoDeployment } from "../deploy/undo-deployment.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { Keeping } from "../version/state-history.js";
import { type UndoneKeeping, undoKeeping } from "../version/undo-keeping.js";
import { type UndonePromotion, undoPromotion } from "../version/undo-promotion.js";
import { undoSubject } from "../version/undo-subject.js";
import { type WritingSession, withWritingSession } from "../version/writing-session.js";
import type { RollbackCaller, Telling } from "./decided.js";
import { Execution } from "./execution.js";
import { gatherFacts } from "./gather-facts.js";
import { planRollback, type RollbackPlan } from "./plan.js";
import type { Replaced } from "./put-back.js";
import { requestOf } from "./request.js";
import { plannedSteps, withSteps } from "./rollback.js";
import { StepLog } from "./step-log.js";
import type { StepResult } from "./step-result.js";
import type { Ground } from "./survey.js";
import { surveyUndone } from "./survey-undone.js";
import { requireUndoable, wantedOperation } from "./undoable.js";

export interface UndoOptions {
  /** Id of the operation, or the beginning of it; default: the newest. */
  readonly operation: string | undefined;
  readonly dryRun: boolean;
  /** As of a rollback. */
  readonly trustCommands?: boolean;
}

export interface UndoResult {
  readonly operation: string | null;
  /** What was undone. */
  readonly undone: { readonly id: string; readonly kind: string; readonly subject: string };
  readonly from: string | null;
  readonly to: string | null;
  readonly commit: string | null;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  readonly steps: readonly StepResult[];
  /** Null where only a deployment is taken back. */
  readonly plan: RollbackPlan | null;
  /** What became of the deployment; null where none is taken back alone. */
  readonly deployment: UndoneDeployment | null;
  /** What became of keeping captured state; null where nothing else is taken back. */
  readonly keeping: Keeping | null;
  /** What holds again of a version; null where nothing else is taken back. */
  readonly promotion: Omit<UndonePromotion, "operation"> | null;
  /** The ref that holds the live state of before. */
  readonly stateBackup: string | null;
  /** The ref that holds what the undone operation overwrote and was in no commit: that does not come back by itself. */
  readonly backup: string | null;
  /** As of a rollback. */
  readonly replaced: readonly Replaced[];
  /** False where the agent could not be started, or was not well. */
  readonly ok: boolean;
}

/**
 * Takes an operation back by a new one: what was in force before it is in force again, files and state as they were. A version
 * that it made stays, withdrawn: numbers and tags are never taken back.
 */
export function undo(caller: RollbackCaller, options: UndoOptions): Promise<UndoResult> {
  const { trustCommands = false } = options;
  const undoing = withWritingSession(caller, { purpose: "undo", untracked: "no" }, async (session) => {
    const entry = wantedOperation(session.history, options.operation);
    if (isDeployment(entry)) return undoDeployed(session, entry, options);
    const keeping = await undoKeeping(session, entry, options);
    if (keeping) return { ...leavingInForce(session, entry), operation: keeping.operation, keeping: factOf(keeping) };
    const promoted = await undoPromotion(session, entry, options);
    if (promoted) return undonePromotion(session, entry, promoted);
    requireUndoable(session.history, entry);
    const { dryRun } = options;
    const ground = await surveyUndone(session, entry, { dryRun });
    const request = requestOf({ to: entry.id, type: "snapshot", dryRun, trustCommands });
    const prepared = await gatherFacts(session, request, ground, null);
    const plan = planRollback(prepared.facts);
    const steps = new StepLog(plan, caller.onStep, {
      interrupted: caller.interrupted,
      // What the operation left was withdrawn by it.
      forced: ground.version?.withdrawn,
    });
    const telling = tell(session, entry, ground);
    const decided = { request, ground, prepared, plan, minted: undefined, telling };
    const execution = new Execution(session, caller, decided, steps);
    await steps.run("validate_target", () => execution.validateTarget());
    const result = {
      undone: { id: entry.id, kind: entry.kind, subject: entry.subject },
      from: session.history.current?.version ?? null,
      to: entry.current.before?.version ?? null,
      withdrawn: telling.withdrawn,
      restored: telling.restored,
      plan,
      deployment: null,
      keeping: null,
      promotion: null,
      backup: await findBackup(session, entry),
    };
    if (dryRun) {
      return {
        operation: null,
        commit: null,
        ...result,
        steps: plannedSteps(plan),
        stateBackup: null,
        replaced: [],
        ok: true,
      };
    }
    const { restored, stateBackup, replaced } = await execution.run().catch((cause: unknown) => {
      throw withSteps(cause, steps);
    });
    const ok = steps.failure === undefined;
    return {
      operation: session.id,
      commit: restored.commit,
      ...result,
      steps: steps.results,
      stateBackup,
      replaced,
      ok,
    };
  });
  return undoing.catch((cause: unknown) => takeBackIll(caller, cause, { trustCommands }));
}

/** The ref that its entry names, where it is still kept. */
async function findBackup({ reader }: WritingSession, { details }: LoggedEntry): Promise<string | null> {
  const { backup } = details;
  return typeof backup === "string" && (await reader.find(`${backup}^{commit}`)) ? backup : null;
}

const factOf = ({ action, tags }: UndoneKeeping): Keeping => ({ action, tags });

const undonePromotion = (
  session: WritingSession,
  entry: LoggedEntry,
  { operation, ...promotion }: UndonePromotion,
): UndoResult => ({ ...leavingInForce(session, entry), operation, promotion });

/** Whether an operation switched a deployment and did nothing else: it says where, and no commit that HEAD was on. */
const isDeployment = ({ details }: LoggedEntry): boolean =>
  typeof details["root"] === "string" && details["head"] === undefined;

async function undoDeployed(session: WritingSession, entry: LoggedEntry, options: UndoOptions): Promise<UndoResult> {
  const { dryRun, trustCommands = false } = options;
  const deployment = await undoDeployment(session, entry, { dryRun, trustCommands });
  return { ...leavingInForce(session, entry), operation: deployment.operation, deployment };
}

/** Of an operation that changes neither what is in force nor a file. */
function leavingInForce({ history }: WritingSession, entry: LoggedEntry): UndoResult {
  const inForce = history.current?.version ?? null;
  return {
    operation: null,
    undone: { id: entry.id, kind: entry.kind, subject: entry.subject },
    from: inForce,
    to: inForce,
    commit: null,
    withdrawn: [],
    restored: [],
    steps: [],
    plan: null,
    deployment: null,
    keeping: null,
    promotion: null,
    backup: null,
    stateBackup: null,
    replaced: [],
    ok: true,
  };
}

/** What an operation made is withdrawn, what it withdrew is back: the very opposite of what its entry says. */
function tell(session: WritingSession, entry: LoggedEntry, ground: Ground): Telling {
  const { version } = entry.details;
  const { verb, what } = undoSubject(entry);
  const made = typeof version === "string" ? [version] : [];
  return {
    kind: "undo",
    subject: `${verb} ${what}`,
    message: `${verb === "undo" ? "Undo" : "Redo"}: ${what}\n\nThis reverts commit ${ground.head}.\n\nKai-Operation: ${session.id}\nKai-Undoes: ${entry.id}`,
    withdrawn: [...made, ...entry.restored],
    restored: entry.withdrawn,
    details: {
      undoes: entry.id,
      from: session.history.current?.version ?? null,
      to: entry.current.before?.version ?? null,
    },
    noteOn: undefined,
  };
}
