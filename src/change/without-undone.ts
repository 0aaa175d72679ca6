import type { CommitText } from "./conventional-commit.js";

/** Trailers by which an operation names its commit, and that which it takes back. */
const OPERATION = /^Kai-Operation: (\S+)$/m;
const UNDOES = /^Kai-Undoes: (\S+)$/m;

/**
 * The commits without those of operations that were taken back, and those by which they were: of the two together nothing is left.
 * Newest first, so that an undo that was itself taken back takes nothing back.
 */
export function withoutUndone(commits: readonly CommitText[]): CommitText[] {
  const made = new Map(commits.flatMap(({ oid, body }) => entryOf(OPERATION.exec(body)?.[1], oid)));
  const gone = new Set<string>();
  for (const { oid, body } of commits) {
    const undone = made.get(UNDOES.exec(body)?.[1] ?? "");
    if (undone === undefined || gone.has(oid)) continue;
    gone.add(oid).add(undone);
  }
  return commits.filter(({ oid }) => !gone.has(oid));
}

const entryOf = (operation: string | undefined, oid: string): [string, string][] =>
  operation === undefined ? [] : [[operation, oid]];
