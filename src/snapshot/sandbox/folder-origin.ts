import { readPlainFile } from "../../version/read-plain-file.js";
import { isSnapshotRecord } from "../is-snapshot-record.js";
import type { SnapshotRecord } from "../snapshot-record.js";

/** What a sandbox's folder says of itself, for whoever finds it when everything else is gone. */
export interface FolderOrigin {
  /** The folder of the snapshot's record: as long as that is there, this one is somebody's. Null: it is no snapshot's. */
  readonly record: string | null;
  /** The process that made it. */
  readonly owner: string;
  readonly throwAway: boolean;
  readonly expiresAt: string;
  /** The record itself as it was when the folder was made: where it is lost, the files are still somebody's. */
  readonly snapshot?: SnapshotRecord;
}

/** No origin of ours comes near that. */
const LARGEST = 1024 * 1024;

/**
 * What is written there; undefined where nothing is, and where it is none of ours. A folder of that name may have come with a clone,
 * so a link, a FIFO or a device is neither followed nor waited for.
 */
export async function findOriginIn(file: string): Promise<FolderOrigin | undefined> {
  try {
    const found = await readPlainFile(file, LARGEST);
    if (found.kind !== "file" || !found.whole) return undefined;
    const origin: unknown = JSON.parse(found.bytes.toString());
    return isOrigin(origin) ? origin : undefined;
  } catch {
    return undefined;
  }
}

function isOrigin(value: unknown): value is FolderOrigin {
  const { record, owner, throwAway, expiresAt, snapshot } = (value ?? {}) as Partial<
    Record<keyof FolderOrigin, unknown>
  >;
  const told = record === null || typeof record === "string";
  const whose = typeof owner === "string" && typeof throwAway === "boolean" && typeof expiresAt === "string";
  return told && whose && (snapshot === undefined || isSnapshotRecord(snapshot));
}
