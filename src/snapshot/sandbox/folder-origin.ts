import { lstat } from "node:fs/promises";
import path from "node:path";
import { writeDurably } from "../../system/durable-file.js";
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

/** The file in the folder that has it. */
export const ORIGIN = "origin.json";
const OTHERS = 0o077;

/** No origin of ours comes near that. */
const LARGEST = 1024 * 1024;

/**
 * What a sandbox's folder says; undefined where that is nothing, and where the folder is not the caller's alone. One of that name may
 * have come with a clone, so a link, a FIFO or a device is neither followed nor waited for.
 */
export async function findOrigin(folder: string): Promise<FolderOrigin | undefined> {
  if (!(await isPrivate(folder))) return undefined;
  try {
    const found = await readPlainFile(path.join(folder, ORIGIN), LARGEST);
    if (found.kind !== "file" || !found.whole) return undefined;
    const origin: unknown = JSON.parse(found.bytes.toString());
    return isOrigin(origin) ? origin : undefined;
  } catch {
    return undefined;
  }
}

export const writeOrigin = (folder: string, origin: FolderOrigin): Promise<void> =>
  writeDurably(path.join(folder, ORIGIN), JSON.stringify(origin));

/** Whether nobody but the caller and root can write to it. */
export async function isPrivate(folder: string): Promise<boolean> {
  const stat = await lstat(folder).catch(() => undefined);
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & OTHERS) === 0;
}

function isOrigin(value: unknown): value is FolderOrigin {
  const { record, owner, throwAway, expiresAt, snapshot } = (value ?? {}) as Partial<
    Record<keyof FolderOrigin, unknown>
  >;
  const told = record === null || typeof record === "string";
  const whose = typeof owner === "string" && typeof throwAway === "boolean" && typeof expiresAt === "string";
  return told && whose && (snapshot === undefined || isSnapshotRecord(snapshot));
}
