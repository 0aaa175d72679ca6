import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { History } from "../version/history.js";
import { findOperation } from "./find-target.js";

/** Without a name the newest; what only tells how another one ended is none of its own. */
export function wantedOperation(history: History, wanted: string | undefined): LoggedEntry {
  if (wanted !== undefined) return findOperation(history, wanted);
  const newest = history.findEntry(({ kind }) => kind !== "outcome");
  if (newest) return newest;
  throw new KaiError("E101", "There is no operation yet.", { hint: "`git kai-version log` lists them." });
}

/** Refuses (E125) what `undo` does not take back, and what something else came into force behind. */
export function requireUndoable(history: History, entry: LoggedEntry): void {
  if (entry.kind === "init") {
    throw new KaiError("E125", "The founding of the log cannot be undone: everything else stands on it.", {
      hint: "There is no operation before it to go back to.",
    });
  }
  const other = otherWay(entry);
  if (other !== undefined) {
    const hint = [other, ...earlierWay(history, entry)].join(" ");
    throw new KaiError("E125", `${entry.subject} is not undone by \`undo\`.`, { hint });
  }
  if (entry.current.after?.pointer !== history.current?.pointer) {
    // An outcome or a deployment that came after it leaves in force what is.
    const later = history.findEntry(({ current }) => current.before?.pointer !== current.after?.pointer);
    throw new KaiError("E125", `Another version came into force since: ${later?.subject ?? "a later operation"}.`, {
      hint: "Undo the later operations first, or go back with `git kai-version rollback VERSION`.",
    });
  }
}

const otherWay = (entry: LoggedEntry): string | undefined =>
  entry.kind === "snapshot" ? branchMade(entry) : OTHER_WAYS[entry.kind];

/** How the newest operation before one is taken back, of those that can be. */
function earlierWay(history: History, entry: LoggedEntry): string[] {
  const earlier = history.findEntry(
    (each) => each.seq < entry.seq && each.kind !== "init" && otherWay(each) === undefined,
  );
  return earlier ? [`\`git kai-version undo ${earlier.id}\` takes back what came before: ${earlier.subject}.`] : [];
}

const OTHER_WAYS: Partial<Record<LoggedEntry["kind"], string>> = {
  state:
    "To forget is to erase: nothing that is left could bring it back. `git kai-version state list` shows what is here.",
  outcome: "It only tells how another operation ended: name that one.",
};

/** How a branch goes that was made for review; undefined where the one that was checked out moved. */
function branchMade({ details }: LoggedEntry): string | undefined {
  const { branch, head } = details;
  if (typeof head === "string" || typeof branch !== "string") return undefined;
  return `It made a branch and nothing else: \`git branch -D ${branch.replace(/^refs\/heads\//, "")}\` takes that away.`;
}
