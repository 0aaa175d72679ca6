import { isAlive } from "../system/process-identity.js";
import { isSamePlace } from "./repository-place.js";
import type { FolderOrigin } from "./sandbox/folder-origin.js";
import { listOrigins } from "./sandbox/sandbox-folder.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** What a snapshot's folder says of it. */
export const originOf = (store: SnapshotStore, record: SnapshotRecord): FolderOrigin => ({
  record: store.folderOf(record.id),
  owner: record.owner,
  throwAway: record.throwAway,
  expiresAt: record.expiresAt,
  snapshot: record,
});

/**
 * The snapshots of this very repository whose record is gone, and whose maker is, by what their folders say. A record is written before
 * the folder is made and goes after it, so that none of them is coming or going.
 */
export async function listOrphans(tempDir: string, store: SnapshotStore): Promise<KnownSnapshot[]> {
  const orphans: KnownSnapshot[] = [];
  for (const [folder, { owner, snapshot }] of await listOrigins(tempDir)) {
    if (snapshot?.folder !== folder || store.has(snapshot.id)) continue;
    if (!snapshot.repository || !isSamePlace(snapshot.repository, store.repository)) continue;
    if (!(await isAlive(owner))) orphans.push({ record: snapshot, status: "error", reason: "its record is gone" });
  }
  return orphans;
}
