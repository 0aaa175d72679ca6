import { findStat } from "../system/path-bytes.js";
import { type FileIdentity, identityOf, isSameContent } from "./worktree-manifest.js";

/** How a state file looked at one time, and the log that SQLite may keep beside it; null where nothing is. */
export type StateLook = readonly [FileIdentity | null, FileIdentity | null];

/** State files by their paths (latin1), each as it looked just before it was saved. */
export type SeenState = readonly (readonly [string, StateLook])[];

export async function lookAtState(file: Buffer): Promise<StateLook> {
  const [now, log] = [await findStat(file), await findStat(Buffer.concat([file, Buffer.from("-wal")]))];
  // An empty log says nothing: a reader makes one and takes it away again.
  return [now ? identityOf(now) : null, log && log.size > 0n ? identityOf(log) : null];
}

/** Whether nobody wrote it since; it may have got another name, or another owner. */
export const isAsSeen = (seen: StateLook, now: StateLook): boolean =>
  seen.every((each, index) => {
    const later = now[index] ?? null;
    return each === null || later === null ? each === later : isSameContent(each, later);
  });
