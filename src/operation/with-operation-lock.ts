import type { Repository } from "../git/repository.js";
import type { FileLock } from "../system/file-lock.js";
import { takeLock } from "./lock.js";
import { type Recovered, recover } from "./recover.js";

/** Runs `work` under the operation lock, after every interrupted operation has been brought to its end. */
export async function withOperationLock<T>(
  repository: Repository,
  purpose: string,
  onRecovered: (recovered: readonly Recovered[]) => void,
  work: (lock: FileLock) => Promise<T>,
): Promise<T> {
  const lock = await takeLock(repository, purpose);
  try {
    const recovered = await recover(repository, lock);
    if (recovered.length > 0) onRecovered(recovered);
    return await work(lock);
  } finally {
    await lock.release();
  }
}
