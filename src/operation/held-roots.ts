import { fstat } from "node:fs";
import { rmdir, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { makeFolderDurably } from "../system/durable-file.js";
import { type FileLock, lockFile } from "../system/file-lock.js";
import { findStat } from "../system/path-bytes.js";
import { reasonOf } from "../system/reason-of.js";
import { LOCK_WAIT_MS } from "./lock.js";

/** In a deployment's root while somebody changes what is deployed there, or stops and starts its agent. */
const ROOT_LOCK = ".kai-lock";

/** Where nothing can be made nothing can be switched either, and whoever tries is told why. */
const UNWRITABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT"]);

/** A root that goes again and again as soon as it is made is a link that leads nowhere. */
const MOST_MISSES = 10;

interface RootsRequest {
  readonly waitMs?: number;
  /** Ends the wait for a lock. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * The roots of deployments that one operation keeps to itself until it has ended, among all clones that deploy there. Taken
 * behind the lock of the repository. No child inherits them: an agent that is started runs on.
 */
export class HeldRoots {
  readonly #repository: Repository;
  readonly #request: RootsRequest;
  readonly #held = new Map<string, () => Promise<void>>();

  constructor(repository: Repository, request: RootsRequest) {
    this.#repository = repository;
    this.#request = request;
  }

  /**
   * Holds a root, before anything is read of it by which somebody decides. Where it is not there and `makes` says so it is made, and
   * goes again unless something comes into it. E113 after 60 s, E124 if interrupted.
   */
  async hold(root: string, { makes = false } = {}): Promise<void> {
    if (this.#held.has(root)) return;
    const release = await lockRoot(this.#repository, root, { ...this.#request, makes });
    if (release) this.#held.set(root, release);
  }

  /** Lets go of all. */
  async release(): Promise<void> {
    for (const release of this.#held.values()) await release();
    this.#held.clear();
  }
}

/** What lets go of it again; undefined where it cannot be locked, because nothing can be made there. */
async function lockRoot(
  { workTree, gitDir, env }: Repository,
  root: string,
  { waitMs = LOCK_WAIT_MS, interrupted, makes }: RootsRequest & { readonly makes: boolean },
): Promise<(() => Promise<void>) | undefined> {
  const file = path.join(root, ROOT_LOCK);
  const deadline = performance.now() + waitMs;
  let first: string | undefined;
  let misses = 0;
  while (misses < MOST_MISSES) {
    // Whoever writes the version makes it as well, and is told what is in the way.
    if (makes) first = (await makeFolderDurably(root, 0o777).catch(() => undefined)) ?? first;
    const leftMs = Math.max(0, Math.ceil((deadline - performance.now()) / 1000) * 1000);
    const request = { holder: `one of ${workTree ?? gitDir}`, waitMs: leftMs, interrupted };
    try {
      const lock = await lockFile(file, request, env);
      if (await isStillThere(file, lock)) return () => unlock(file, lock, first);
      await lock.release();
    } catch (cause) {
      const isGone = (cause as NodeJS.ErrnoException).code === "ENOENT";
      if (isGone && makes) misses++;
      else {
        await removeFolders(root, first);
        if (isGone || (await isUnwritable(file, cause))) return undefined;
        throw asKaiError(file, cause);
      }
    }
  }
  return undefined;
}

async function unlock(file: string, lock: FileLock, first: string | undefined): Promise<void> {
  // While it is held, so that whoever takes it afterwards sees that it is gone.
  await unlink(file).catch(() => {});
  await removeFolders(path.dirname(file), first);
  await lock.release();
}

/** Whether it is what everybody locks: who held it before has removed it. */
async function isStillThere(file: string, { descriptor }: FileLock): Promise<boolean> {
  const [ours, there] = [await promisify(fstat)(descriptor), await stat(file).catch(() => undefined)];
  return ours.ino === there?.ino && ours.dev === there.dev;
}

/** A lock that another user has made is one all the same. */
async function isUnwritable(file: string, cause: unknown): Promise<boolean> {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return UNWRITABLE.has(code) && (code !== "EACCES" || (await findStat(file).catch(() => undefined)) === undefined);
}

const asKaiError = (file: string, cause: unknown): unknown =>
  (cause as NodeJS.ErrnoException).syscall === undefined
    ? cause
    : new KaiError("E118", `The lock ${file} could not be taken (${reasonOf(cause)}).`, {
        hint: "Nothing was changed. Mend that, and run it again.",
        cause,
      });

/** Removes a folder and those above it up to the `first` one that was made; none where there is something in it. */
async function removeFolders(folder: string, first: string | undefined): Promise<void> {
  for (let each = folder; first !== undefined && each.startsWith(first); each = path.dirname(each)) {
    const gone = await rmdir(each).then(
      () => true,
      () => false,
    );
    if (!gone) return;
  }
}
