import { formatCommitPayload } from "../git/commit-object.js";
import { makeObject } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { updateRefs } from "../git/ref-transaction.js";
import { openRepository, type Repository } from "../git/repository.js";
import { diffTrees } from "../git/tree-diff.js";
import { treeOf } from "../git/tree-of.js";
import { writeObjects } from "../git/write-objects.js";
import { readRef } from "../operation/read-ref.js";
import { syncObjectFolders } from "../operation/sync-object-folders.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { readablePath } from "../system/path-bytes.js";
import type { Caller } from "../version/writing-session.js";
import { claimed } from "./claim-snapshot.js";
import { listRefused } from "./describe-changes.js";
import type { RefusedPath } from "./execution.js";
import { requireAcceptable } from "./ingest/require-acceptable.js";
import { storeChanges } from "./ingest/store-changes.js";
import { type FoundIn, judgedChanges } from "./judged-changes.js";
import { requireWholeDisk } from "./require-whole-disk.js";
import { formatSaveMessage, savesRef } from "./saves.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { type KnownSnapshot, SnapshotStore, takenFrom } from "./snapshot-store.js";
import { type Ignores, ignoredOf } from "./version-ignores.js";
import { whileStill } from "./while-still.js";

export interface SavedSnapshot {
  readonly id: string;
  readonly version: string;
  /** The commit that holds the files, and its tree. */
  readonly commit: string;
  readonly tree: string;
  /** What the save stands on: the one before, or the version. */
  readonly parent: string;
  /** Paths that differ from there. */
  readonly changed: readonly string[];
  readonly refused: readonly RefusedPath[];
  /** False where nothing had changed since the last save, so that there is no new one. */
  readonly made: boolean;
}

/**
 * Keeps a snapshot's files as they are now as a commit on refs/kai/snapshots/<id>, and lets it go on. Each save holds all files; of
 * an incremental snapshot it follows the save before, of any other the version, so that `git diff` of its parent and it shows
 * what the type saves. E101, E103, E113, E128.
 */
export async function saveSnapshot(caller: Caller, asked: string): Promise<SavedSnapshot> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  return claimed(store, await store.find(asked), { purpose: "snapshot save", ...caller }, async (known) => {
    const saved = await whileStill(store, known, caller.env, () => saveStillSnapshot(repository, known, caller));
    if (saved.made) await store.write({ ...known.record, saved: saved.commit });
    return saved;
  });
}

/** The same of a snapshot in which nothing runs and that is claimed; its record is the caller's to write. */
export async function saveStillSnapshot(
  repository: Repository,
  known: KnownSnapshot,
  caller: Caller,
): Promise<SavedSnapshot> {
  const { record } = known;
  const began = Date.now();
  const { tree, refused } = await storeSnapshot(repository, known, caller);
  const before = await readRef(repository, savesRef(record.id));
  const parent = record.settings.type === "incremental" && before !== null ? before : record.commit;
  const made = before === null || tree !== (await treeOf(repository, before));
  const commit = made ? await keepSave(repository, record, { tree, parent, before, at: caller.now(), began }) : before;
  const changes = await diffTrees(repository, parent, commit);
  return {
    id: record.id,
    version: record.version,
    commit,
    tree,
    parent,
    changed: changes.map((change) => readablePath(change.path)),
    refused,
    made,
  };
}

/** A snapshot's files as a tree in the repository, named by nothing yet. */
export interface StoredSnapshot {
  readonly tree: string;
  readonly refused: readonly RefusedPath[];
  /** What was left out as ignored, its paths as latin1 text. */
  readonly ignored: readonly string[];
}

export interface StoreSnapshotRequest {
  readonly inherit?: readonly number[];
  readonly reader?: ObjectReader;
  readonly secrets?: readonly string[] | undefined;
  /** What of the added files is left out; asked for where there are some. */
  readonly ignores?: Ignores | undefined;
  /** Refuses more than what can be in no save, of what is not left out. */
  readonly refuse?: ((found: FoundIn) => Promise<FoundIn>) | undefined;
}

/**
 * Writes the files of a snapshot in which nothing runs, none that is refused: what holds a secret, too. E128 where there is more than a version can take.
 */
export async function storeSnapshot(
  repository: Repository,
  known: KnownSnapshot,
  caller: Caller,
  { inherit = [], reader, secrets, ignores, refuse = async (found) => found }: StoreSnapshotRequest = {},
): Promise<StoredSnapshot> {
  const { record } = known;
  const whole = requireWholeDisk(new SnapshotStore(repository), record, caller.env);
  // While the files are looked at and stored, which nothing names yet.
  whole.catch(() => {});
  const judged = await judgedChanges(repository, known, caller, { secrets, reader });
  const ignored = ignores ? await ignoredOf(judged.changes, ignores) : new Set<string>();
  const found = await refuse({ ...judged, changes: judged.changes.filter(({ path }) => !ignored.has(path)) });
  requireAcceptable(found, takenFrom(known));
  const tree = await storeChanges(repository, {
    tree: record.tree,
    folder: found.folder,
    changes: found.changes,
    reader,
    inherit,
  });
  await whole;
  return { tree, refused: listRefused(found.refused), ignored: [...ignored] };
}

async function keepSave(
  repository: Repository,
  record: SnapshotRecord,
  save: { tree: string; parent: string; before: string | null; at: Date; began: number },
): Promise<string> {
  const who = { name: "git kai-version", email: "snapshot@localhost" };
  const message = formatSaveMessage(record);
  // The save before stays in reach, also where it is not what this one is compared with.
  const parents = save.before === null || save.before === save.parent ? [save.parent] : [save.parent, save.before];
  const content = formatCommitPayload({ tree: save.tree, parents, who, at: save.at, message });
  const commit = makeObject("commit", content, repository.objectFormat);
  await writeObjects(repository, [commit]);
  // Whoever prunes removes the files themselves behind it, which may last longer than names that were never synced.
  await syncObjectFolders(repository, save.began);
  const ref = savesRef(record.id);
  await updateRefs(repository, [{ ref, old: save.before, new: commit.id }]);
  await syncRefFolders(repository, [ref]);
  return commit.id;
}
