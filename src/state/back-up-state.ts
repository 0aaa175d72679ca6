import { rm } from "node:fs/promises";
import path from "node:path";
import { updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import type { Identity } from "../git/signature-line.js";
import { unpackObjects } from "../git/write-objects.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readStagedState, writeStagedState } from "../operation/staged-state.js";
import { syncObjectFolders } from "../operation/sync-object-folders.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { makeFolder } from "../system/durable-file.js";
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
    const capture = await captureState(repository, { files, of, who, at, scratch, inherit });
    await unpackObjects(repository, capture.objects, inherit);
    await syncObjectFolders(repository);
    await setRef(repository, stateBackupRef(operation), capture.commit.id, inherit);
    await removeWhatIsSaved(request.folder, capture);
    return saved(operation, capture);
  } finally {
    await rm(mark, { recursive: true, force: true });
  }
}

function saved(operation: string, { manifest, digest }: Capture): SavedState {
  return {
    ref: stateBackupRef(operation),
    digest,
    files: manifest.files.length,
    bytes: manifest.files.reduce((sum, { size }) => sum + size, 0),
    consistent: manifest.consistent === true,
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

/** What is removed is what was saved and is not restored: files that came since the staging are in it, too. */
async function removeWhatIsSaved(folder: string, { manifest }: Capture): Promise<void> {
  const staged = await readStagedState(folder);
  if (staged === undefined) return;
  const restored = new Set(staged.files.map((file) => file.path));
  const saved = manifest.files.flatMap((file) => parseStatePath(file.path) ?? []);
  await writeStagedState(folder, { ...staged, removed: saved.filter((name) => !restored.has(name)) });
}
