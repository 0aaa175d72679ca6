import type { Repository } from "../git/repository.js";
import { type FileLock, lockFile } from "../system/file-lock.js";
import { kaiFolderOf, makeKaiFolder } from "./kai-folder.js";

/** How long a writing command waits for another one to end. */
export const LOCK_WAIT_MS = 60_000;

/** Takes the repository's operation lock; every git child that writes inherits its descriptor. E113 after 60 s, E124 if interrupted. */
export async function takeLock(repository: Repository, purpose: string, interrupted?: AbortSignal): Promise<FileLock> {
  const folder = kaiFolderOf(repository);
  await makeKaiFolder(folder);
  return lockFile(folder.lock, { holder: purpose, waitMs: LOCK_WAIT_MS, interrupted }, repository.env);
}
