import { findVersion, type History, type KnownVersion } from "./history.js";
import { findNumber } from "./number.js";

/** The version that was in force when one was made, the one before that, and so on; the nearest first. */
export function versionsBefore(history: History, version: Pick<KnownVersion, "parent">): KnownVersion[] {
  const before: KnownVersion[] = [];
  for (let at = version; at.parent !== null; ) {
    const number = findNumber(at.parent);
    const parent = number && findVersion(history, number);
    // A parent is whatever a tag says: they may go round in a circle.
    if (parent === undefined || before.includes(parent)) break;
    before.push(parent);
    at = parent;
  }
  return before;
}
