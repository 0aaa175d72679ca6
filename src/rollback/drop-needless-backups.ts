import path from "node:path";
import type { RefChange } from "../git/ref-transaction.js";
import { updateRefs } from "../git/ref-transaction.js";
import { LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readRef } from "../operation/read-ref.js";
import { stateBackupRef } from "../state/back-up-state.js";
import { findStat } from "../system/path-bytes.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Backup } from "./back-up-changes.js";

/**
 * Removes the backups of an operation that failed, where it certainly did not happen: that of the state, which nobody touched,
 * and that of the files where each saved path still holds what was saved. Where that cannot be told they stay.
 */
export async function dropNeedlessBackups(session: WritingSession, backup: Backup | undefined): Promise<void> {
  const { repository } = session.agent;
  try {
    // A journal that is still there is for recovery to end.
    if (await findStat(path.join(kaiFolderOf(repository).journal, session.id))) return;
    if ((await readRef(repository, LOG_REF)) !== session.log.head) return;
    const needless: RefChange[] = [];
    const state = await readRef(repository, stateBackupRef(session.id));
    if (state !== null) needless.push({ ref: stateBackupRef(session.id), old: state, new: null });
    if (backup && [...backup.saved].every((name) => backup.saved.has(name))) {
      needless.push({ ref: backup.ref, old: backup.commit, new: null });
    }
    await updateRefs(repository, needless, { inherit: [session.lock.descriptor] });
  } catch {
    // What is told is why the operation failed.
  }
}
