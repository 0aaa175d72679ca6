import { link, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { makeFolder } from "../system/durable-file.js";
import { fileIdentity } from "../system/process-paths.js";
import { kaiFolderOf } from "./kai-folder.js";

/**
 * Moves a dead operation's lock to `kai/stale-locks/<operation>/`, where it can be looked at; those of earlier operations
 * go. False, and the lock left, where it is not the judged file any more. It is removed where it can be kept nowhere: a full disk
 * must not keep a repository locked.
 */
export async function moveLockAside(
  repository: Repository,
  operation: string,
  lock: string,
  judged: string | undefined,
): Promise<boolean> {
  const kept = path.join(kaiFolderOf(repository).root, "stale-locks");
  const name = path.relative(repository.commonDir, lock).replace(/\.lock$/, "");
  const aside = path.join(kept, operation, encodeURIComponent(name));
  try {
    await makeFolder(path.dirname(aside));
    await rename(lock, aside);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (!["ENOSPC", "EDQUOT", "EXDEV"].includes(code ?? "")) throw cause;
    if ((await fileIdentity(lock)) !== judged) return false;
    await rm(lock, { force: true });
    return true;
  }
  if ((await fileIdentity(aside)) !== judged) {
    // Between the look and the move its owner let go of it, and somebody else took it.
    await link(aside, lock).catch(() => {});
    await rm(aside, { force: true });
    return false;
  }
  for (const other of await readdir(kept)) {
    if (other !== operation) await rm(path.join(kept, other), { recursive: true, force: true });
  }
  return true;
}
