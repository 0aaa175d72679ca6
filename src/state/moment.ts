import { type FileIdentity, identityOf, isSameContent, isUntouched } from "../operation/worktree-manifest.js";
import { findStat, pathBelow } from "../system/path-bytes.js";

/** How files looked at one time, each with the log that SQLite may keep beside it; null where nothing is. */
export type Moment = ReadonlyMap<string, readonly (FileIdentity | null)[]>;

/** Looks at the files of these paths (latin1). */
export async function lookAt(workTree: string, paths: readonly string[]): Promise<Moment> {
  const files = new Map<string, (FileIdentity | null)[]>();
  for (const name of paths) {
    const [file, log] = [await findStat(pathBelow(workTree, name)), await findStat(pathBelow(workTree, `${name}-wal`))];
    // An empty log says nothing: a reader makes one and takes it away again.
    files.set(name, [file ? identityOf(file) : null, log && log.size > 0n ? identityOf(log) : null]);
  }
  return files;
}

/**
 * Whether nothing was written between the two looks, so that all that was read in between is of one moment. `since` is the time
 * of a file made just before the first, in nanoseconds: what was written at the same tick of the file system's clock could have
 * been written again without a trace.
 */
export function isOneMoment(before: Moment, after: Moment, since: bigint): boolean {
  return [...before].every(([name, seen]) => {
    const now = after.get(name) ?? [];
    return seen.every((each, index) => {
      const later = now[index] ?? null;
      // Of a log the owner may have been set anew meanwhile, which SQLite does where it runs as root.
      const same = index === 0 || !each || !later ? isUntouched(each, later) : isSameContent(each, later);
      return same && !(each && BigInt(each.mtime) >= since);
    });
  });
}
