import { KaiError } from "../error.js";
import { requireOwnUser } from "./require-own-user.js";
import { isFolderOf } from "./sandbox/sandbox-folder.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/**
 * Refuses (E125) a snapshot whose folder does not say that it is that one's, before anything in it is read, mounted or deleted: its
 * record may have come with an unpacked archive, and name what it likes. Also another user's.
 */
export async function requireOwnFolder(store: SnapshotStore, record: SnapshotRecord): Promise<void> {
  const { id, folder } = record;
  requireOwnUser(store, record);
  if (await isFolderOf(folder, id)) return;
  throw new KaiError("E125", `${folder} does not say that it is the folder of the snapshot ${id}.`, {
    hint: `Remove ${store.folderOf(id)}, so that the snapshot is forgotten; the folder, too, where nothing in it is wanted.`,
  });
}
