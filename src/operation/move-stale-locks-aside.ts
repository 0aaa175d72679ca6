import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { findStat } from "../system/path-bytes.js";
import { fileIdentity } from "../system/process-paths.js";
import { LOG_REF } from "./entry.js";
import type { Worktree } from "./find-worktree.js";
import { ownerOfIndexLock } from "./hold-index.js";
import type { Journal } from "./journal.js";
import { moveLockAside } from "./move-lock-aside.js";
import { pendingUnder } from "./pending.js";
import { findPossibleOwners } from "./stale-lock-owners.js";
import { bornAt, CLOCK_TICK_MS } from "./temporary-files.js";

/**
 * Moves aside the git locks that an interrupted operation left. All processes of ours that could hold one inherited our
 * own lock, so they are dead, whatever numbers they had; a lock is taken for ours where the journal names its ref and no
 * live process could have made it. E113, and everything left as it is, where one could.
 */
export async function moveStaleLocksAside(
  repository: Repository,
  journal: Pick<Journal, "file" | "begin">,
  worktree: Worktree | undefined,
): Promise<void> {
  const { begin } = journal;
  const own = await readdir(path.join(repository.commonDir, pendingUnder(begin.operation))).catch(() => []);
  const candidates = [
    ...begin.refs.map((ref) => path.join(repository.commonDir, `${ref}.lock`)),
    ...own
      .filter((name) => name.endsWith(".lock"))
      .map((name) => path.join(repository.commonDir, pendingUnder(begin.operation), name)),
    path.join(repository.commonDir, `${LOG_REF}.lock`),
    path.join(repository.commonDir, "packed-refs.lock"),
    path.join(worktree?.gitDir ?? repository.gitDir, "HEAD.lock"),
  ];
  const present: Lock[] = [];
  const since = (await bornAt(journal.file)) - CLOCK_TICK_MS;
  for (const file of candidates) {
    const stat = await findStat(file);
    // One that is older was there before the operation, which never had it.
    if (stat && Number(stat.mtimeMs) >= since) present.push({ file, identity: await fileIdentity(file) });
  }
  if (present.length > 0) {
    const files = present.map(({ file }) => file);
    const alive = await waitForOwners(repository, files, worktree?.workTree);
    const theirs = await ofOtherUsers(files, journal.file);
    if (theirs.length > 0) throw held(theirs, alive);
    if (alive === undefined || alive.length > 0) throw held(files, alive);
  }
  // What it says is ours alone, so nobody else can have made it.
  if (worktree !== undefined && (await ownerOfIndexLock(worktree.gitDir)) === begin.operation) {
    const file = path.join(worktree.gitDir, "index.lock");
    present.push({ file, identity: await fileIdentity(file) });
  }
  for (const { file, identity } of present) {
    const moved = await moveLockAside(repository, begin.operation, file, identity);
    if (!moved) throw held([file], []);
  }
}

const LOOKS = 5;
const BETWEEN_LOOKS_MS = 100;

/** Who could still own the locks after a moment: most git commands, such as an editor's `git status`, end within it. */
async function waitForOwners(
  repository: Repository,
  files: readonly string[],
  workTree: string | undefined,
): Promise<readonly number[] | undefined> {
  for (let look = 1; ; look++) {
    const alive = await findPossibleOwners(repository, files, workTree);
    if (look === LOOKS || alive === undefined || alive.length === 0) return alive;
    await delay(BETWEEN_LOOKS_MS);
  }
}

interface Lock {
  readonly file: string;
  /** Which file was judged: a later one of the same name is somebody else's. */
  readonly identity: string | undefined;
}

/** Locks that whoever began the operation did not make: what their owner does, this process may not be able to see. */
async function ofOtherUsers(locks: readonly string[], journal: string): Promise<string[]> {
  const owner = (await findStat(journal))?.uid;
  const theirs: string[] = [];
  for (const file of locks) {
    const stat = await findStat(file);
    if (stat && stat.uid !== owner) theirs.push(file);
  }
  return theirs;
}

function held(files: readonly string[], alive: readonly number[] | undefined): KaiError {
  return new KaiError("E113", `git locks are held in this repository: ${files.join(", ")}`, {
    hint: alive?.length
      ? `Wait for git (process ${alive.join(", ")}) to end and run \`git kai-version recover\`.`
      : "If no git process runs in it, remove these files and run `git kai-version recover`.",
  });
}
