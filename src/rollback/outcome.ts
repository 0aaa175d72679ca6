import { ulid } from "ulid";
import type { OperationKind } from "../operation/entry.js";
import type { Signer } from "../trust/signer.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackPlan } from "./plan.js";
import type { Restored } from "./restore-tree.js";
import type { StepLog } from "./step-log.js";

/** How a rollback ended, as its entry of the log says. */
export type Outcome = "well" | "failed";

/**
 * Logs what came of a rollback behind its commit point, where something could: the agent was started, or asked whether it is
 * well. The entry's `outcome.json` has what each command printed.
 */
export async function writeOutcome(
  session: WritingSession,
  { performed, inForce }: Restored,
  kind: OperationKind,
  plan: RollbackPlan,
  steps: StepLog,
  signer: Signer,
): Promise<void> {
  const asked = ["start_agent", "validate_rollback"] as const;
  if (!asked.some((type) => steps.step(type) !== undefined)) return;
  const outcome: Outcome = steps.failure === undefined ? "well" : "failed";
  const at = new Date(Math.max(session.caller.now().getTime(), performed.at.getTime()));
  const told = steps.results.map(({ type, status, durationMs, error }) => ({ type, status, durationMs, error }));
  const whole = { format: "kai-outcome/1", operation: performed.id, outcome, plan, steps: steps.results };
  await session.perform(
    {
      id: ulid(at.getTime()),
      repo: session.log.entry.repo,
      kind: "outcome",
      subject: `outcome of ${kind} ${plan.from ?? "nothing"} -> ${plan.to}: ${outcome}`,
      at,
      log: { head: performed.entry, seq: performed.seq, at: performed.at },
      current: { before: inForce, after: inForce },
      details: { of: performed.id, kind, ok: outcome === "well", steps: told },
      objects: [],
      changes: [],
      held: [],
      files: new Map([...session.log.files, ["outcome.json", Buffer.from(`${JSON.stringify(whole)}\n`)]]),
    },
    signer,
  );
}
