import { readFileSync } from "node:fs";
import { rename, symlink } from "node:fs/promises";
import path from "node:path";
import { writeDurably } from "../system/durable-file.js";
import { isSamePlace, isThere, type RepositoryPlace } from "./repository-place.js";
import { type FolderOrigin, findOrigin, writeOrigin } from "./sandbox/folder-origin.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** The records of one repository, as far as it says whose one is. */
interface Records {
  readonly repository: RepositoryPlace;
  folderOf(id: string): string;
}

/** Beside the record, which somebody may be writing: where the repository was when the snapshot's folder was last told. */
const PLACE = "repository.json";

/**
 * The record as it is in this repository; undefined where it came with a copy of another one. What lies elsewhere and leads to the
 * repository is written anew, once, where that was moved.
 */
export async function findOwnRecord(records: Records, record: SnapshotRecord): Promise<SnapshotRecord | undefined> {
  const here = records.repository;
  const place = placeOf(records, record);
  if (place === undefined || (place.path === here.path && isSamePlace(place, here))) return moved(record, here);
  if (!isSamePlace(place, here)) return undefined;
  const origin = await findOwnOrigin(record);
  const after = moved(record, here);
  // Whoever only looks is not kept from it by a full disk: it is done the next time.
  await leadHere(records, after, origin).catch(() => {});
  return after;
}

/** Whether a record came with a copy of a repository that is still there: all but the record is that one's. */
export const isCopied = (records: Records, record: SnapshotRecord): boolean => {
  const place = placeOf(records, record);
  return place !== undefined && !isSamePlace(place, records.repository) && isThere(place);
};

/** What its folder says, where that is of this very snapshot. */
async function findOwnOrigin({ folder, id }: SnapshotRecord): Promise<FolderOrigin | undefined> {
  const origin = await findOrigin(folder);
  return origin?.snapshot?.id === id ? origin : undefined;
}

/** Where the repository is, or was, that has a snapshot; undefined in records made before that was told. */
function placeOf(records: Records, { id, repository }: SnapshotRecord): RepositoryPlace | undefined {
  try {
    return JSON.parse(readFileSync(path.join(records.folderOf(id), PLACE), "utf8")) as RepositoryPlace;
  } catch {
    return repository;
  }
}

/** What is in the repository is below it as before. */
function moved(record: SnapshotRecord, here: RepositoryPlace): SnapshotRecord {
  const { repository, lower } = record;
  if (repository === undefined) return record;
  const below = path.relative(repository.path, lower);
  return { ...record, repository: here, lower: below.startsWith("..") ? lower : path.join(here.path, below) };
}

/** The mark goes last: as long as it is missing, all of this is done again. */
async function leadHere(records: Records, record: SnapshotRecord, origin: FolderOrigin | undefined): Promise<void> {
  const { id, folder, lower } = record;
  const { repository } = records;
  if (origin?.snapshot) {
    const snapshot = { ...origin.snapshot, repository, lower };
    await writeOrigin(folder, { ...origin, record: records.folderOf(id), snapshot });
    const aside = path.join(folder, `lower.new-${process.pid}`);
    await symlink(lower, aside);
    await rename(aside, path.join(folder, "lower"));
  }
  await writeDurably(path.join(records.folderOf(id), PLACE), JSON.stringify(repository));
}
