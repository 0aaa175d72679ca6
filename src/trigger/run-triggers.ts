import { KaiError } from "../error.js";
import { isoSeconds } from "../operation/build-entry.js";
import { createVersion } from "../snapshot/gate/create-version.js";
import { type PrunedSnapshot, sweepDue, tellSwept } from "../snapshot/prune-due.js";
import { SnapshotStore } from "../snapshot/snapshot-store.js";
import { openAgent } from "../version/agent-repository.js";
import type { CreatedVersion } from "../version/create.js";
import type { Caller, WritingSession } from "../version/writing-session.js";
import { automaticVersion } from "./automatic-version.js";
import { gatherFacts } from "./gather-facts.js";
import { type JudgedTrigger, judgeTriggers, sweptTriggers, type Trigger } from "./judge-triggers.js";
import { triggerInForce } from "./trigger-in-force.js";

export interface TriggerOptions {
  /** As of `create`. */
  readonly trustCommands: boolean;
  readonly dryRun: boolean;
}

/** What came of one occasion. */
export interface RanTrigger {
  readonly trigger: Trigger;
  /** The version that was made, or in a dry run would be; null where it is not due. */
  readonly version: string | null;
  readonly why: string;
}

export interface TriggerRun {
  /** Every occasion of kai.yaml that is swept; where several are due one version is made for all. */
  readonly ran: readonly RanTrigger[];
  /** When the schedule comes next, in UTC; null where there is none. */
  readonly next: string | null;
  readonly created: CreatedVersion | null;
  /** Snapshots whose time was over, or whose maker was killed: they were, or in a dry run would be, taken away. */
  readonly pruned: readonly PrunedSnapshot[];
}

/**
 * Makes an automatic version where an occasion of `lifecycle.trigger` has come, and says what came of each. That is decided
 * under the lock: two at once make one version. What `create` refuses is refused here. Before it, snapshots go that are due.
 */
export async function runTriggers(caller: Caller, options: TriggerOptions): Promise<TriggerRun> {
  const opened = await openAgent(caller.cwd, caller.env, caller.onConfigGone);
  const { repository, config } = opened;
  const pruned = await sweepDue(repository, new SnapshotStore(repository), caller, options);
  if (sweptTriggers(config.lifecycle).length === 0) return { ran: [], next: null, created: null, pruned };
  let judged: readonly JudgedTrigger[] = [];
  let next: Date | null = null;
  const occasion = async (session: WritingSession): Promise<string | undefined> => {
    const inForce = await triggerInForce(session);
    const facts = await gatherFacts(session, inForce);
    judged = judgeTriggers(session.agent.config.lifecycle, inForce, facts);
    next = facts.next;
    const due = judged.filter((each) => each.due).map(({ trigger }) => trigger);
    return due.length === 0 ? undefined : `automatic version by the trigger ${due.join(" and ")}`;
  };
  const request = { ...automaticVersion(occasion), ...options };
  const created = await createVersion({ ...caller, opened }, request).catch((cause: unknown) => {
    if (cause instanceof KaiError && cause.code === "E109" && judged.every(({ due }) => !due)) return null;
    // No result tells it.
    if (!options.dryRun) tellSwept(pruned, caller);
    throw cause;
  });
  return {
    ran: judged.map(({ trigger, due, why }) => ({ trigger, version: due ? (created?.version ?? null) : null, why })),
    next: next && isoSeconds(next),
    created,
    pruned,
  };
}
