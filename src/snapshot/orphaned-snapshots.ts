import { existsSync } from "node:fs";
import { isAlive } from "../system/process-identity.js";
import { isSamePlace } from "./repository-place.js";
import type { FolderOrigin } from "./sandbox/folder-origin.js";
import { listOrigins } from "./sandbox/sandbox-folder.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { underLock } from "./take-place.js";

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
    // It may have gone as a whole since.
    if (!existsSync(folder)) continue;
    if (!isAlive(owner)) orphans.push({ record: snapshot, status: "error", reason: "its record is gone" });
  }
  return orphans;
}

/** Gives them their records again, by which they are as others: what is interrupted then goes on the next time. */
export async function restoreOrphans(
  tempDir: string,
  store: SnapshotStore,
  env: NodeJS.ProcessEnv,
): Promise<KnownSnapshot[]> {
  if ((await listOrphans(tempDir, store)).length === 0) return [];
  return underLock(store, { env }, async () => {
    // Somebody else may have done so, and taken one away since.
    const lost = await listOrphans(tempDir, store);
    for (const { record } of lost) await store.write(record);
    return lost;
  });
}
