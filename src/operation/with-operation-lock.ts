import { stat } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import type { FileLock } from "../system/file-lock.js";
import { explainMissingObject } from "./explain-missing-object.js";
import { HeldRoots } from "./held-roots.js";
import { type HeldGc, holdGc } from "./hold-gc.js";
import { kaiFolderOf } from "./kai-folder.js";
import { takeLock } from "./lock.js";
import { type Recovered, recover } from "./recover.js";
import { removeTemporaryFiles } from "./temporary-files.js";

/** How long a `git gc` that runs already is waited for. */
const GC_PATIENCE_MS = 2000;

/** What the lock is taken for. */
export interface LockedWork {
  /** For whoever has to wait meanwhile. */
  readonly purpose: string;
  readonly onRecovered: (recovered: readonly Recovered[]) => void;
  /** Ends the wait for the lock. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Runs `work` under the operation lock, after every interrupted operation has been brought to its end. It may hold the roots of
 * deployments until its end.
 */
export async function withOperationLock<T>(
  repository: Repository,
  { purpose, onRecovered, interrupted }: LockedWork,
  work: (lock: FileLock, roots: HeldRoots) => Promise<T>,
): Promise<T> {
  const lock = await takeLock(repository, purpose, interrupted);
  // The file says who holds it since now.
  const { mtimeMs: since } = await stat(kaiFolderOf(repository).lock);
  const roots = new HeldRoots(repository, { interrupted });
  let gc: HeldGc | undefined;
  try {
    gc = await holdGc(repository, kaiFolderOf(repository).staging, GC_PATIENCE_MS);
    const recovered = await recover(repository, lock, roots);
    if (recovered.length > 0) onRecovered(recovered);
    return await work(lock, roots);
  } catch (cause) {
    // A git process of ours that was killed leaves half an object, before there is a journal to tell of it.
    await removeTemporaryFiles(repository, since).catch(() => {});
    throw explainMissingObject(cause);
  } finally {
    await gc?.release().catch(() => {});
    await roots.release();
    await lock.release();
  }
}
