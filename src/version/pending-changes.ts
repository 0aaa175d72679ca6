import { type CommitText, judge, type Verdict } from "../change/verdict.js";
import { withoutUndone } from "../change/without-undone.js";
import type { Repository } from "../git/repository.js";
import type { LoggedEntry } from "../operation/entry.js";
import { type History, type KnownVersion, versionInForce } from "./history.js";
import { highestVersion } from "./next-number.js";
import { readCommits } from "./read-commits.js";

/** What has come since the version in force came into force. */
export interface PendingChanges {
  readonly inForce: KnownVersion | undefined;
  /** The commit from which is counted; null where everything is new. */
  readonly since: string | null;
  readonly commits: readonly CommitText[];
  readonly verdict: Verdict;
}

/** Reads and judges the commits up to `head`. */
export async function readPendingChanges(
  repository: Repository,
  history: History,
  head: string,
): Promise<PendingChanges> {
  const inForce = versionInForce(history);
  const since = cameIntoForceAt(history) ?? highestVersion(history)?.commit ?? null;
  // Everything is new in the first version, and no bump is asked of it.
  const commits = since === null ? [] : withoutUndone(await readCommits(repository, since, head));
  const base = inForce ?? highestVersion(history);
  return { inForce, since, commits, verdict: judge({ commits, stable: base === undefined || base.number.major > 0 }) };
}

/**
 * The branch's commit when the version in force came into force: after a rollback that is its own commit, not the version's. By an
 * undo it came back, and what was on top of it then came with it.
 */
function cameIntoForceAt(history: History): string | undefined {
  const { lastMove } = history;
  const move = lastMove?.kind === "undo" ? (moveBefore(history, lastMove) ?? lastMove) : lastMove;
  const head = move?.details["head"];
  return typeof head === "string" ? head : undefined;
}

/** The one by which the version that an undo brought back had come into force. */
const moveBefore = (history: History, undo: LoggedEntry): LoggedEntry | undefined =>
  history.findEntry(
    ({ seq, kind, current: { before, after } }) =>
      seq < undo.seq &&
      kind !== "undo" &&
      before?.pointer !== after?.pointer &&
      after?.version === undo.current.after?.version,
  );
