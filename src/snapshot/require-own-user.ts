import { lstatSync } from "node:fs";
import { KaiError } from "../error.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** The folders of records. */
interface Records {
  folderOf(id: string): string;
}

/**
 * Whose a snapshot is that is another user's; undefined for the caller's own. Of that either the record or the files are: a record may name
 * anybody's files, and some file systems of repositories know no owners.
 */
export function findOtherUser(records: Records, { id, folder }: SnapshotRecord): number | undefined {
  const users = [records.folderOf(id), folder].map(ownerOf).filter((user) => user !== undefined);
  return users.includes(process.getuid?.() ?? 0) ? undefined : users.at(-1);
}

function ownerOf(folder: string): number | undefined {
  try {
    return lstatSync(folder).uid;
  } catch {
    return undefined;
  }
}

/**
 * Refuses (E125) another user's snapshot, before anything of it is written or ended: what root leaves beside the record is not to be
 * opened by whose it is, and Podman has each user's containers apart.
 */
export function requireOwnUser(records: Records, record: SnapshotRecord): void {
  const user = findOtherUser(records, record);
  if (user === undefined) return;
  throw new KaiError("E125", `The snapshot ${record.id} is that of another user, whose number is ${user}.`, {
    hint: `Run the command as that user: \`sudo -u '#${user}' git kai-version …\``,
  });
}
