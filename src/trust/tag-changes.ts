import { CURRENT_REF, type Entry } from "../operation/entry.js";

/** The refs of the versions' tags that an entry made. */
export const madeTags = ({ changes }: Pick<Entry, "changes">): string[] =>
  changes.filter((change) => isVersionTag(change.ref) && change.new !== null).map(({ ref }) => ref);

/** What an entry does to a version's tag that nobody may: tags are made once, and neither moved nor deleted; undefined where nothing. */
export function tagProblem(entry: Pick<Entry, "changes">): string | undefined {
  const seen = new Set<string>();
  for (const { ref, old, new: made } of entry.changes) {
    if (!isVersionTag(ref)) continue;
    if (made === null) return `it deletes ${ref}`;
    if (old !== null || seen.has(ref)) return `it moves ${ref}`;
    seen.add(ref);
  }
  return undefined;
}

const isVersionTag = (ref: string): boolean => ref.startsWith("refs/tags/") && ref !== CURRENT_REF;
