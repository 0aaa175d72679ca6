import { existsSync } from "node:fs";
import path from "node:path";
import { KaiError } from "../error.js";
import { isSnapshotId, isSnapshotRecord } from "./is-snapshot-record.js";
import { findText } from "./read-text.js";
import type { SnapshotRecord } from "./snapshot-record.js";

const RECORD = "record.json";

/** Where the record of a snapshot is, in the folder of what is kept of it. */
export const recordIn = (folder: string): string => `${folder}/${RECORD}`;

/** The record of a snapshot, by the folder that has its id for a name; undefined for a folder that is being made or removed, and what is damaged. */
export function findRecord(folder: string): SnapshotRecord | undefined {
  const id = path.basename(folder);
  if (!isSnapshotId(id)) return undefined;
  try {
    const record: unknown = JSON.parse(findText(recordIn(folder)) ?? "");
    return isSnapshotRecord(record) && record.id === id ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is a record that says nothing: it is no JSON, not whole, or of something else. */
export const isDamagedIn = (folder: string): boolean =>
  isSnapshotId(path.basename(folder)) && existsSync(recordIn(folder)) && findRecord(folder) === undefined;

export const damagedRecord = (folder: string): KaiError =>
  new KaiError("E125", `The record of the snapshot ${path.basename(folder)} is damaged.`, {
    hint: `\`git kai-version snapshot prune\` saves what the snapshot changed and removes it, by what its files say of it; where they are gone, remove ${folder}.`,
  });
