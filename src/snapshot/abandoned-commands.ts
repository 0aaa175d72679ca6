import { KaiError } from "../error.js";
import { endAbandoned } from "./end-abandoned.js";
import { findOtherUser } from "./require-own-user.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { endDeadHolds } from "./while-still.js";

/** A command that ran on in a snapshot that stays, although its caller had been killed. */
export interface EndedCommand {
  readonly snapshot: string;
  /** Id of the execution. */
  readonly execution: string;
}

/** What was set right of snapshots that stay. */
export interface SetRight {
  readonly ended: readonly EndedCommand[];
  /** Ids of those that go on, as whoever held them still was killed. */
  readonly resumed: readonly string[];
}

const NOTHING: SetRight = { ended: [], resumed: [] };

/**
 * Ends those of one snapshot, and lets it go on where somebody was killed who held it still. Nothing where somebody lives who does:
 * whoever comes next ends them. Nothing of another user's either.
 */
export async function endAbandonedIn(
  store: SnapshotStore,
  { record, status }: KnownSnapshot,
  env: NodeJS.ProcessEnv,
): Promise<SetRight> {
  if ((status !== "ready" && status !== "running") || record.throwAway) return NOTHING;
  if (findOtherUser(store, record) !== undefined) return NOTHING;
  try {
    const resumed = (await endDeadHolds(store, record, env)) ? [record.id] : [];
    const executions = await endAbandoned(store, record, env);
    return { ended: executions.map((execution) => ({ snapshot: record.id, execution })), resumed };
  } catch (cause) {
    if (cause instanceof KaiError) return NOTHING;
    throw cause;
  }
}

/** The same of all of them. */
export async function endAllAbandoned(store: SnapshotStore, env: NodeJS.ProcessEnv): Promise<SetRight> {
  const each: SetRight[] = [];
  for (const known of await store.list()) each.push(await endAbandonedIn(store, known, env));
  return { ended: each.flatMap(({ ended }) => ended), resumed: each.flatMap(({ resumed }) => resumed) };
}
