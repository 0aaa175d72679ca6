import { KaiError } from "../error.js";
import { endAbandoned } from "./end-abandoned.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { endDeadHolds } from "./while-still.js";

/** A command that ran on in a snapshot that stays, although its caller had been killed. */
export interface EndedCommand {
  readonly snapshot: string;
  /** Id of the execution. */
  readonly execution: string;
}

/**
 * Ends those of one snapshot, and lets it go on where somebody was killed who held it still. Nothing where somebody lives who does:
 * whoever comes next ends them.
 */
export async function endAbandonedIn(
  store: SnapshotStore,
  { record, status }: KnownSnapshot,
  env: NodeJS.ProcessEnv,
): Promise<EndedCommand[]> {
  if ((status !== "ready" && status !== "running") || record.throwAway) return [];
  try {
    await endDeadHolds(store, record, env);
    return (await endAbandoned(store, record, env)).map((execution) => ({ snapshot: record.id, execution }));
  } catch (cause) {
    if (cause instanceof KaiError) return [];
    throw cause;
  }
}

/** The same of all of them. */
export async function endAllAbandoned(store: SnapshotStore, env: NodeJS.ProcessEnv): Promise<EndedCommand[]> {
  const ended: EndedCommand[] = [];
  for (const known of await store.list()) ended.push(...(await endAbandonedIn(store, known, env)));
  return ended;
}
