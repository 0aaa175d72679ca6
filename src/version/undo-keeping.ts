import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import { logStateFact } from "./manage-state.js";
import { type Keeping, keepingDetails, keepingOf } from "./state-history.js";
import { describeUndo } from "./undo-subject.js";
import type { WritingSession } from "./writing-session.js";

/** What became of captured state, which nothing else did. */
export interface UndoneKeeping extends Keeping {
  /** Null in a dry run. */
  readonly operation: string | null;
}

/**
 * Takes back that state was kept, or that this was taken back; undefined where the operation did neither. E125 where it was
 * undone before: what was kept since is another operation's.
 */
export async function undoKeeping(
  session: WritingSession,
  entry: LoggedEntry,
  { dryRun }: { readonly dryRun: boolean },
): Promise<UndoneKeeping | undefined> {
  const keeping = keepingOf(entry);
  if (keeping === undefined) return undefined;
  const before = session.history.findEntry(({ details }) => details["undoes"] === entry.id);
  if (before !== undefined) {
    throw new KaiError("E125", `${entry.subject} was undone already, by ${before.id}.`, {
      hint: `\`git kai-version undo ${before.id}\` takes that back; \`git kai-version state list\` shows what is kept.`,
    });
  }
  const undone: Keeping = { action: keeping.action === "keep" ? "unkeep" : "keep", tags: keeping.tags };
  if (dryRun) return { ...undone, operation: null };
  const details = { undoes: entry.id, ...keepingDetails(undone) };
  await logStateFact(session, { kind: "undo", subject: describeUndo(entry), details, changes: [] });
  return { ...undone, operation: session.id };
}
