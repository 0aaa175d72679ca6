import { linkSync } from "node:fs";
import { link, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Repository } from "../git/repository.js";

export interface HeldGc {
  release(): Promise<void>;
}

/** What tells our file from git's: git reads no further than its second word. */
const MARK = "git-kai-version";

/** git takes no notice of an older one (builtin/gc.c, lock_repo_for_gc). */
const STALE_MS = 12 * 3600 * 1000;

/** Between two that run one right after the other the file is gone for a few milliseconds. */
const LOOK_AGAIN_MS = 1;
/** How often it is also asked whether who it names still lives. */
const LOOKS_A_QUESTION = 20;

/**
 * Keeps `git gc` out while objects are there that no ref names yet, as one gc keeps out another: `gc.pid` names a live
 * process. One that runs already is waited for, `patienceMs` at most; then it is let be, and nothing is held. To be called
 * under the operation lock, so that a file of ours is a dead one's.
 */
export async function holdGc(
  repository: Pick<Repository, "commonDir">,
  staging: string,
  patienceMs: number,
): Promise<HeldGc> {
  const file = path.join(repository.commonDir, "gc.pid");
  const aside = path.join(staging, "gc.pid");
  const ours = `${process.pid} ${hostname()} ${MARK}\n`;
  const held = async () => (await read(file)) === ours;
  try {
    await writeFile(aside, ours);
    const until = performance.now() + patienceMs;
    for (let look = 0; ; look++) {
      const late = performance.now() >= until;
      if (late || look % LOOKS_A_QUESTION === 0) {
        if (!(await held())) await take(file, aside);
      } else linkNow(aside, file);
      // A gc that looked before we came puts its own file over ours when it lets go of its lock: that is looked for first, because one
      // that comes behind it sees ours.
      const locked = await exists(`${file}.lock`);
      if ((await held()) && (late || !locked)) break;
      if (late) return { release: async () => {} };
      await setTimeout(LOOK_AGAIN_MS);
    }
  } finally {
    await rm(aside, { force: true }).catch(() => {});
  }
  return {
    release: async () => {
      if (await held()) await rm(file, { force: true });
    },
  };
}

async function take(file: string, aside: string): Promise<void> {
  const seen = await read(file);
  if (seen !== undefined) {
    if (!(await isStale(file, seen))) return;
    await removeStale(file, seen, `${aside}.stale`);
  }
  await linkUnlessThere(aside, file);
}

async function isStale(file: string, content: string): Promise<boolean> {
  const [pid, host, mark] = content.trim().split(" ");
  if (mark === MARK) return true;
  // What a loss of power left of one: to git, too, it says nothing.
  if (!/^\d+ [!-~]/.test(content)) return true;
  const written = await stat(file).catch(() => undefined);
  if (written !== undefined && Date.now() - written.mtimeMs > STALE_MS) return true;
  return host === hostname() && !isRunning(Number(pid));
}

/** Moved before it is removed: another gc may have put its own there since. */
async function removeStale(file: string, content: string, away: string): Promise<void> {
  await rename(file, away).catch(ignoreMissing);
  const moved = await read(away);
  if (moved !== undefined && moved !== content) await linkUnlessThere(away, file);
  await rm(away, { force: true });
}

/** The same without the way through the thread pool, which may take longer than the file is gone. */
function linkNow(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}

const linkUnlessThere = (from: string, to: string): Promise<void> =>
  link(from, to).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
  });

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOENT") throw cause;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}

const read = (file: string): Promise<string | undefined> => readFile(file, "latin1").catch(() => undefined);

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
