import path from "node:path";
import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { type InForce, LOG_REF, type OperationKind } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Operation } from "../operation/operation.js";
import { readRef } from "../operation/read-ref.js";
import { findStat } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import type { WritingSession } from "../version/writing-session.js";
import { goalOf, type RollbackPlan } from "./plan.js";
import type { Restored } from "./restore-tree.js";
import type { StepLog } from "./step-log.js";
import { ASKING, illnessOf } from "./step-result.js";

/** How a rollback ended, as its entry of the log says. */
export type Outcome = "well" | "failed";

/** What is told of. */
export interface Told {
  readonly kind: OperationKind;
  readonly plan: RollbackPlan;
  readonly steps: StepLog;
}

/** Whether anything is to be found out behind the commit point. */
export const asksAgent = (steps: StepLog): boolean => ASKING.some((type) => steps.step(type) !== undefined);

/**
 * Logs what came of a rollback behind its commit point, where something could: the agent was started, or asked whether it is
 * well. The entry's `outcome.json` has what each command printed.
 */
export async function writeOutcome(
  session: WritingSession,
  { performed, inForce }: Pick<Restored, "performed" | "inForce">,
  told: Told,
  signer: Signer,
): Promise<void> {
  const { kind, plan, steps } = told;
  if (!asksAgent(steps)) return;
  const ill = steps.failure ?? illnessOf(steps.results);
  const outcome: Outcome = ill === undefined ? "well" : "failed";
  // Its agent is the one that was started or asked.
  const deployed = plan.deployment?.to ?? undefined;
  const entry = outcomeEntry(session, told, {
    of: performed.id,
    outcome,
    subject: `outcome of ${kind} ${plan.from ?? "nothing"} -> ${goalOf(plan)}: ${outcome}`,
    log: { head: performed.entry, seq: performed.seq, at: performed.at },
    inForce,
    more: {
      ...(ill && { step: ill.type, critical: steps.failure !== undefined }),
      ...(deployed !== undefined && deployed !== inForce?.version && { asked: deployed }),
    },
  });
  await session.perform(entry, signer);
}

/**
 * Logs that an operation ended before its commit point, so that nothing came into force, where it had acted: the agent was
 * stopped, or a critical step ran and failed. Not where that cannot be told for sure, because recovery has to end it first.
 */
export async function writeFailure(
  session: WritingSession,
  { version, cause, ...told }: Told & { readonly version: string | null; readonly cause: Error },
  signer: Signer,
): Promise<void> {
  const { kind, plan, steps } = told;
  const { log, agent, id, history, caller } = session;
  // Whoever does not want it any more says nothing of the target.
  if (caller.interrupted?.aborted) return;
  const stopped = steps.results.some(({ type, status }) => type === "stop_agent" && status !== "skipped");
  if (!stopped && (steps.failure === undefined || !saysSomething(cause))) return;
  if (await findStat(path.join(kaiFolderOf(agent.repository).journal, id))) return;
  if ((await readRef(agent.repository, LOG_REF)) !== log.head) return;
  const step = steps.failure?.type ?? null;
  const entry = outcomeEntry(session, told, {
    of: id,
    outcome: "failed",
    subject: `${kind} ${plan.from ?? "nothing"} -> ${goalOf(plan)} did not happen: ${step === null ? "it was given up" : `${step} failed`}`,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    inForce: history.current,
    more: { happened: false, version, step, error: cause.message },
  });
  await session.perform(entry, signer);
}

/** Of the target, that is: a disk that fails says nothing of it, and may have no room for an entry. */
const saysSomething = (cause: Error): boolean => cause instanceof KaiError && cause.code !== "E118";

interface OutcomeFacts {
  /** The operation. */
  readonly of: string;
  readonly outcome: Outcome;
  readonly subject: string;
  readonly log: NonNullable<Operation["log"]>;
  readonly inForce: InForce | null;
  readonly more: Readonly<Record<string, unknown>>;
}

function outcomeEntry(
  session: WritingSession,
  { kind, plan, steps }: Told,
  { of, outcome, subject, log, inForce, more }: OutcomeFacts,
): Operation {
  const at = new Date(Math.max(session.caller.now().getTime(), log.at.getTime()));
  const told = steps.results.map(({ type, status, durationMs, error }) => ({ type, status, durationMs, error }));
  const whole = { format: "kai-outcome/1", operation: of, outcome, plan, steps: steps.results };
  return {
    id: ulid(at.getTime()),
    repo: session.log.entry.repo,
    kind: "outcome",
    subject,
    at,
    log,
    current: { before: inForce, after: inForce },
    details: { of, kind, ok: outcome === "well", ...more, steps: told },
    objects: [],
    changes: [],
    held: [],
    files: new Map([...session.log.files, ["outcome.json", Buffer.from(`${JSON.stringify(whole)}\n`)]]),
  };
}
