import { rm } from "node:fs/promises";
import path from "node:path";
import { updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import type { Identity } from "../git/signature-line.js";
import { unpackObjects } from "../git/write-objects.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readStagedState, type StagedState, writeStagedState } from "../operation/staged-state.js";
import type { SeenState } from "../operation/state-look.js";
import { syncObjectFolders } from "../operation/sync-object-folders.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { makeFolder } from "../system/durable-file.js";
import { readablePath } from "../system/path-bytes.js";
import { SQLITE_SIBLINGS } from "../system/sqlite.js";
import { type Capture, captureState } from "./capture-state.js";
import { findStateFiles, type StatePatterns } from "./find-state-files.js";
import { parseStatePath } from "./state-path.js";

export interface StateBackupRequest {
  readonly operation: string;
  readonly patterns: StatePatterns;
  readonly who: Identity;
  readonly at: Date;
  readonly inherit: readonly number[];
  /** The operation's staging folder: state that is staged there then replaces and removes what was backed up, and nothing else. */
  readonly folder: string;
}

/** The live state as it was before an operation. */
export interface SavedState {
  readonly ref: string;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  /** Whether all of it is of one moment. */
  readonly consistent: boolean;
  /** Databases that SQLite could not read, saved as the bytes that they are: shown paths, and why. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  readonly seen: SeenState;
}

/** The ref that keeps the state that an operation replaced. */
export const stateBackupRef = (operation: string): string => `refs/kai/backup/${operation}-state`;

/**
 * Saves the live state of now on `refs/kai/backup/<operation>-state`, also where there are no files at all: that, too, can be
 * gone back to. To be called under the operation lock, with the operation's journal begun and the agent stopped.
 */
export async function backUpState(
  repository: Repository & { workTree: string },
  request: StateBackupRequest,
): Promise<SavedState> {
  const { operation, who, at, inherit } = request;
  // There until the ref is set: by its name `recover` knows that the ref's lock is ours.
  const mark = path.join(kaiFolderOf(repository).staging, `backup-${operation}-state`);
  await makeFolder(mark);
  try {
    const files = await findStateFiles(repository, request.patterns);
    const scratch = path.join(mark, "copies");
    const of = `before operation ${operation}`;
    const staged = await readStagedState(request.folder);
    const databases = new Set(databasesOf(staged));
    // What a migration will put there nobody knows yet.
    const becomesDatabase = (name: string) => staged === undefined || databases.has(name);
    const unreadable = "copy bytes";
    const capture = await captureState(repository, {
      files,
      of,
      who,
      at,
      scratch,
      inherit,
      unreadable,
      becomesDatabase,
    });
    await unpackObjects(repository, capture.objects, inherit);
    await syncObjectFolders(repository);
    await setRef(repository, stateBackupRef(operation), capture.commit.id, inherit);
    if (staged) {
      await writeStagedState(request.folder, {
        ...staged,
        removed: removedBy(staged, capture),
        seen: [...capture.seen],
      });
    }
    return saved(operation, capture, staged);
  } finally {
    await rm(mark, { recursive: true, force: true });
  }
}

function saved(
  operation: string,
  { manifest, digest, unreadable, seen }: Capture,
  staged: StagedState | undefined,
): SavedState {
  const databases = new Set(databasesOf(staged));
  const plain = manifest.files.filter(({ kind, size }) => kind === "file" && size > 0);
  const others = plain.flatMap(({ path: text }) => parseStatePath(text) ?? []).filter((name) => databases.has(name));
  const why = new Map([...others.map((name) => [name, "it is no database"] as const), ...unreadable]);
  return {
    ref: stateBackupRef(operation),
    digest,
    files: manifest.files.length,
    bytes: manifest.files.reduce((sum, { size }) => sum + size, 0),
    consistent: manifest.consistent === true,
    unreadable: [...why].map(([name, reason]) => ({ path: readablePath(name), why: reason })),
    seen: [...seen],
  };
}

async function setRef(repository: Repository, ref: string, commit: string, inherit: readonly number[]): Promise<void> {
  try {
    await updateRefs(repository, [{ ref, old: null, new: commit }], { inherit });
    await syncRefFolders(repository, [ref]);
  } catch (cause) {
    // The ref is of this one operation, so its lock is of our git process, which has ended.
    await rm(path.join(repository.commonDir, `${ref}.lock`), { force: true }).catch(() => {});
    throw cause;
  }
}

/**
 * What is removed is what was saved and is not restored: files that came since the staging are in it, too. What SQLite keeps
 * beside a database goes with that.
 */
function removedBy(staged: StagedState, { manifest, unreadable }: Capture): string[] {
  const restored = new Set(staged.files.map((file) => file.path));
  const databases = new Set([...databasesOf(staged), ...unreadable.keys()]);
  return manifest.files
    .flatMap((file) => parseStatePath(file.path) ?? [])
    .filter(
      (name) =>
        !restored.has(name) &&
        !SQLITE_SIBLINGS.some((end) => name.endsWith(end) && databases.has(name.slice(0, -end.length))),
    );
}

const databasesOf = (staged: StagedState | undefined): string[] =>
  (staged?.files ?? []).filter(({ kind }) => kind === "sqlite").map((file) => file.path);
