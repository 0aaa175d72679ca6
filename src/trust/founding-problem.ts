import type { Entry } from "../operation/entry.js";

/**
 * What keeps an entry from being the first of a log, which has no parent, the number 0, the kind `init`, nothing in force
 * and the repository's own id; undefined where it can be.
 */
export function foundingProblem(parents: readonly string[], entry: Entry): string | undefined {
  if (parents.length > 0) return "it has a parent";
  if (entry.kind !== "init") return `it is of the kind ${entry.kind}, not init`;
  if (entry.seq !== 0) return `its number is ${entry.seq}, not 0`;
  if (entry.current.before !== null || entry.current.after !== null) return "it puts a version in force";
  if (!/^[0-9a-f]{32}$/.test(entry.repo)) return "its repository's id is not 32 hexadecimal digits";
  return undefined;
}
