import type { History, KnownVersion } from "./history.js";

/**
 * The version that was in force when one was made, the one before that, and so on; the nearest first. Each is found when it
 * is asked for: of thousands, mostly the first few are.
 */
export function versionsBefore(
  history: Pick<History, "versions">,
  version: Pick<KnownVersion, "parent">,
): Iterable<KnownVersion> {
  return {
    *[Symbol.iterator]() {
      const byNumber = oursByNumber(history);
      const before = new Set<KnownVersion>();
      for (let at = version; at.parent !== null; ) {
        const parent = byNumber.get(at.parent);
        // A parent is whatever a tag says: they may go round in a circle.
        if (parent === undefined || before.has(parent)) return;
        before.add(parent);
        yield parent;
        at = parent;
      }
    },
  };
}

/** The same with the version itself in front. */
export const versionAndBefore = (
  history: Pick<History, "versions">,
  version: KnownVersion,
): Iterable<KnownVersion> => ({
  *[Symbol.iterator]() {
    yield version;
    yield* versionsBefore(history, version);
  },
});

/** As `findVersion` finds each: ours before another tool's. */
function oursByNumber({ versions }: Pick<History, "versions">): ReadonlyMap<string, KnownVersion> {
  const byNumber = new Map<string, KnownVersion>();
  for (const version of versions) {
    const { text } = version.number;
    const other = byNumber.get(text);
    if (other === undefined || (other.type === "foreign" && version.type !== "foreign")) byNumber.set(text, version);
  }
  return byNumber;
}
