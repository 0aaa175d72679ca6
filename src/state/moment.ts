import { lookAtState, type StateLook } from "../operation/state-look.js";
import { isSameContent, isUntouched } from "../operation/worktree-manifest.js";
import { pathBelow } from "../system/path-bytes.js";

/** How files looked at one time. */
export type Moment = ReadonlyMap<string, StateLook>;

/** Looks at the files of these paths (latin1). */
export async function lookAt(workTree: string, paths: readonly string[]): Promise<Moment> {
  const files = new Map<string, StateLook>();
  for (const name of paths) files.set(name, await lookAtState(pathBelow(workTree, name)));
  return files;
}

/**
 * Whether nothing was written between the two looks, so that all that was read in between is of one moment. `since` is the time
 * of a file made just before the first, in nanoseconds: what was written at the same tick of the file system's clock could have
 * been written again without a trace.
 */
export function isOneMoment(before: Moment, after: Moment, since: bigint): boolean {
  return [...before].every(([name, seen]) => {
    const now = after.get(name);
    return seen.every((each, index) => {
      const later = now?.[index] ?? null;
      // Of a log the owner may have been set anew meanwhile, which SQLite does where it runs as root.
      const same = index === 0 || !each || !later ? isUntouched(each, later) : isSameContent(each, later);
      return same && !(each && BigInt(each.mtime) >= since);
    });
  });
}
