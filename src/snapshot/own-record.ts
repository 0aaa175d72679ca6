import { existsSync } from "node:fs";
import { rename, symlink } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { removeContainer } from "../podman/remove-container.js";
import { writeDurably } from "../system/durable-file.js";
import { isRepositoryPlace } from "./is-snapshot-record.js";
import { findText } from "./read-text.js";
import { isSamePlace, isThere, type RepositoryPlace } from "./repository-place.js";
import { findOtherUser } from "./require-own-user.js";
import { type FolderOrigin, findOrigin, writeOrigin } from "./sandbox/folder-origin.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** The records of one repository, as far as it says whose one is. */
interface Records {
  readonly repository: RepositoryPlace;
  /** For Podman. */
  readonly env: NodeJS.ProcessEnv;
  folderOf(id: string): string;
}

/** Beside the record, which somebody may be writing: where the repository was when the snapshot's folder was last told. */
const PLACE = "repository.json";

/**
 * The record as it is in this repository; undefined where it came with a copy of another one. What lies elsewhere and leads to the
 * repository is written anew, once, where that was moved, or took it over from one that is nowhere any more: what runs is ended then, as
 * its files went with that.
 */
export async function findOwnRecord(records: Records, record: SnapshotRecord): Promise<SnapshotRecord | undefined> {
  const here = records.repository;
  const place = placeOf(records, record);
  if (place === undefined || (place.path === here.path && isSamePlace(place, here))) return moved(record, here);
  const origin = await findOwnOrigin(record);
  if (!isSamePlace(place, here)) {
    // Without its folder's word anybody's record could have what is another's taken away.
    if (origin === undefined || (await findOwner(records, record)) !== undefined) return undefined;
  }
  const after = moved(record, here);
  // Whoever only looks is not kept from it by a full disk: it is done the next time.
  if (findOtherUser(records, record) === undefined) {
    const { container, process } = record;
    if (standsOnLost(record, here)) await removeContainer(container, records.env, process ?? undefined).catch(() => {});
    await leadHere(records, after, origin).catch(() => {});
  }
  return after;
}

/** Whether a record is of no use here: another repository has its snapshot, or its files are gone, as that one is. */
export const isForeign = async (records: Records, record: SnapshotRecord): Promise<boolean> =>
  (await findOwnRecord(records, record)) === undefined &&
  ((await findOwner(records, record)) !== undefined || !existsSync(record.folder));

/** E101 for one that is not this repository's. */
export async function notOwn(records: Records, record: SnapshotRecord): Promise<KaiError> {
  const owner = await findOwner(records, record);
  const { path: place } = owner ?? placeOf(records, record) ?? {};
  const why = owner
    ? "This one is a copy of that: run the command there."
    : "That is not there any more, and its files are not either.";
  return new KaiError("E101", `The snapshot ${record.id} is not this repository's, but that of ${place}.`, {
    hint: `${why} \`git kai-version snapshot prune\` removes the copied record here.`,
  });
}

/** The other repository that is there and has a snapshot, by its record or its folder. */
async function findOwner(records: Records, record: SnapshotRecord): Promise<RepositoryPlace | undefined> {
  const places = [placeOf(records, record), (await findOwnOrigin(record))?.snapshot?.repository];
  return places.find((place) => place && !isSamePlace(place, records.repository) && isThere(place));
}

/** What its folder says, where that is of this very snapshot. */
async function findOwnOrigin({ folder, id }: SnapshotRecord): Promise<FolderOrigin | undefined> {
  const origin = await findOrigin(folder);
  return origin?.snapshot?.id === id ? origin : undefined;
}

/** Where the repository is, or was, that has a snapshot; undefined in records made before that was told. */
function placeOf(records: Records, { id, repository }: SnapshotRecord): RepositoryPlace | undefined {
  const file = `${records.folderOf(id)}/${PLACE}`;
  // Few have one, and an error costs more than the look.
  if (!existsSync(file)) return repository;
  try {
    const place: unknown = JSON.parse(findText(file) ?? "");
    return isRepositoryPlace(place) ? place : repository;
  } catch {
    return repository;
  }
}

const LOST = "the repository that it was made in is gone, and this one is a copy of it";

/** What is in the repository is below it as before. */
function moved(record: SnapshotRecord, here: RepositoryPlace): SnapshotRecord {
  const { repository, lower, status } = record;
  if (repository === undefined || (repository.path === here.path && isSamePlace(repository, here))) return record;
  const after = { ...record, repository: here };
  const below = path.relative(repository.path, lower);
  if (below.startsWith("..")) return after;
  const reason = status === "ready" && standsOnLost(record, here) ? LOST : record.reason;
  return { ...after, lower: path.join(here.path, below), reason };
}

/** Whether a container of it would stand on files that went with the repository that it was made in: a copy of them is another thing. */
const standsOnLost = ({ repository, lower }: SnapshotRecord, here: RepositoryPlace): boolean =>
  repository !== undefined && !path.relative(repository.path, lower).startsWith("..") && !isSamePlace(repository, here);

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
