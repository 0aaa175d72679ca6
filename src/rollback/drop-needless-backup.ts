import path from "node:path";
import { updateRefs } from "../git/ref-transaction.js";
import { LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readRef } from "../operation/read-ref.js";
import { findStat } from "../system/path-bytes.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Backup } from "./back-up-changes.js";

/**
 * Removes the backup of an operation that failed, where it certainly did not happen and each saved path still holds what was
 * saved; else, or where that cannot be told, the backup stays.
 */
export async function dropNeedlessBackup(session: WritingSession, backup: Backup): Promise<void> {
  const { repository } = session.agent;
  const { ref, commit, saved } = backup;
  try {
    // A journal that is still there is for recovery to end.
    if (await findStat(path.join(kaiFolderOf(repository).journal, session.id))) return;
    if ((await readRef(repository, LOG_REF)) !== session.log.head) return;
    if (![...saved].every((name) => saved.has(name))) return;
    await updateRefs(repository, [{ ref, old: commit, new: null }], { inherit: [session.lock.descriptor] });
  } catch {
    // What is told is why the operation failed.
  }
}
