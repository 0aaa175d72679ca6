import type { LoggedEntry } from "../operation/entry.js";
import type { History } from "../version/history.js";
import type { Unjudged } from "./unjudged.js";

/** What is left of an operation that was interrupted behind its commit point. */
export interface LeftToJudge {
  /** What came into force last: the operation itself, or a way out of it. */
  readonly latest: LoggedEntry;
  /** How that ended; undefined where its agent was not asked yet. */
  readonly outcome: LoggedEntry | undefined;
  /** The operation whose ways out are left. */
  readonly first: LoggedEntry;
  /** Those of its ways out that came into force, the earliest first. */
  readonly ways: readonly LoggedEntry[];
}

/** Undefined where nothing is left: it never happened, something else is in force by now, or it ended. */
export function leftToJudge({ log, current }: History, noted: Unjudged): LeftToJudge | undefined {
  const entryOf = (id: unknown) => log.find((entry) => entry.id === id);
  const itself = entryOf(noted.operation);
  const first = entryOf(itself?.details["recovers"] ?? noted.recovers ?? noted.operation);
  if (first === undefined) return undefined;
  const ways = log.filter(({ details }) => details["recovers"] === first.id);
  const latest = ways.at(-1) ?? first;
  if (latest.current.after?.pointer !== current?.pointer) return undefined;
  const outcome = outcomeOf(log, latest);
  const over = outcome !== undefined && (!asksForWayOut(outcome) || first.kind === "undo");
  return over ? undefined : { latest, outcome, first, ways };
}

/** Not where its policy does not hold against it that it is not well. */
const asksForWayOut = ({ details }: LoggedEntry): boolean => details["ok"] !== true && details["critical"] !== false;

export const outcomeOf = (log: readonly LoggedEntry[], { id }: LoggedEntry): LoggedEntry | undefined =>
  log.find(({ kind, details }) => kind === "outcome" && details["of"] === id);
