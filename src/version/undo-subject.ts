import type { LoggedEntry } from "../operation/entry.js";

/** How the taking back of an operation is named: an undo that is taken back is a redo, however often. */
export interface UndoSubject {
  readonly verb: "undo" | "redo";
  /** What was done first, as the log has it. */
  readonly what: string;
}

export function undoSubject({ subject }: Pick<LoggedEntry, "subject">): UndoSubject {
  const taken = /^(undo|redo) (.+)$/su.exec(subject);
  return { verb: taken?.[1] === "undo" ? "redo" : "undo", what: taken?.[2] ?? subject };
}

/** One line, as the log has it. */
export function describeUndo(entry: Pick<LoggedEntry, "subject">): string {
  const { verb, what } = undoSubject(entry);
  return `${verb} ${what}`;
}
