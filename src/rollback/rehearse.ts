import { KaiError } from "../error.js";
import { openAgent } from "../version/agent-repository.js";
import { withCopyOf } from "./copy-agent.js";
import type { RollbackCaller } from "./execution.js";
import type { RollbackOptions } from "./request.js";
import { type RollbackResult, rollBack } from "./rollback.js";

/** What a rehearsal came to. */
export interface Rehearsal {
  readonly rehearsed: true;
  /** Whether the rollback would have succeeded, as far as it can be tried. */
  readonly ok: boolean;
  /** What it would have failed with; null where it would not. */
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  /** Of the copy; null where it failed before the commit point. */
  readonly rollback: RollbackResult | null;
}

/**
 * Runs the whole rollback on a copy of the repository, the working tree and the live state: it is planned, verified, saved,
 * installed, migrated, restored and tested there. The commands that manage the agent that runs (stop, start, health) are left
 * out, as is its deployment. Nothing of the original is changed.
 */
export async function rehearse(caller: RollbackCaller, options: RollbackOptions): Promise<Rehearsal> {
  // The rollback of the copy tells of a kai.yaml that is gone or broken.
  const agent = await openAgent(caller.cwd, caller.env, () => {});
  caller.progress("Copying the agent");
  return withCopyOf(agent, async ({ folder, env }) => {
    try {
      const rollback = await rollBack({ ...caller, cwd: folder, env }, { ...options, dryRun: false, rehearsal: true });
      const failed = rollback.steps.find(({ status }) => status === "failed");
      const problem = rollback.ok ? null : { code: "E127", message: failed?.error ?? "it is not well", hint: null };
      return { rehearsed: true, ok: rollback.ok, problem, rollback };
    } catch (cause) {
      if (!(cause instanceof KaiError)) throw cause;
      const { code, message, hint = null } = cause;
      return { rehearsed: true, ok: false, problem: { code, message, hint }, rollback: null };
    }
  });
}
