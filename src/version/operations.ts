import type { LoggedEntry } from "../operation/entry.js";

export interface ListedOperation {
  readonly id: string;
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly actor: LoggedEntry["actor"];
  readonly subject: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly changes: LoggedEntry["changes"];
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
}

export interface OperationFilter {
  readonly kind: string | undefined;
  /** Only what had happened by then; the first one listed says what was in force at that moment. */
  readonly at: Date | undefined;
  readonly limit: number | undefined;
}

/** The operations of a log, newest first. */
export function listOperations(log: readonly LoggedEntry[], filter: OperationFilter): ListedOperation[] {
  const { at, kind } = filter;
  return log
    .filter((entry) => (kind === undefined || entry.kind === kind) && (at === undefined || new Date(entry.at) <= at))
    .slice(0, filter.limit)
    .map(listed);
}

/** The operations of a log that have these ids, by id. */
export function findOperations(
  log: readonly LoggedEntry[],
  ids: readonly string[],
): ReadonlyMap<string, ListedOperation> {
  const found = log.filter((entry) => ids.includes(entry.id));
  return new Map(found.map((entry) => [entry.id, listed(entry)]));
}

const listed = (entry: LoggedEntry): ListedOperation => ({
  id: entry.id,
  seq: entry.seq,
  kind: entry.kind,
  at: entry.at,
  actor: entry.actor,
  subject: entry.subject,
  from: entry.current.before?.version ?? null,
  to: entry.current.after?.version ?? null,
  changes: entry.changes,
  withdrawn: entry.withdrawn,
  restored: entry.restored,
});
