import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { findProcessesIn } from "../system/live-processes.js";
import { LOG_REF } from "./entry.js";
import { ownerOfIndexLock } from "./hold-index.js";
import type { Journal } from "./journal.js";
import { pendingUnder } from "./pending.js";

/**
 * Removes the git locks that an interrupted operation left. All processes of ours that could hold one inherited our own
 * lock, so they are dead; a lock is taken for ours where the journal names its ref and no git process lives in the
 * repository. E113, and everything left as it is, where one does.
 */
export async function removeStaleLocks(repository: Repository, journal: Journal): Promise<void> {
  const { begin } = journal;
  const own = await readdir(path.join(repository.commonDir, pendingUnder(begin.operation))).catch(() => []);
  const candidates = [
    ...begin.refs.map((ref) => path.join(repository.commonDir, `${ref}.lock`)),
    ...own
      .filter((name) => name.endsWith(".lock"))
      .map((name) => path.join(repository.commonDir, pendingUnder(begin.operation), name)),
    path.join(repository.commonDir, `${LOG_REF}.lock`),
    path.join(repository.commonDir, "packed-refs.lock"),
    path.join(begin.indexOf ?? repository.gitDir, "HEAD.lock"),
  ];
  const present: string[] = [];
  for (const file of candidates) if (await exists(file)) present.push(file);
  if (present.length > 0) {
    const folders = [repository.commonDir, begin.workTree, repository.workTree].filter((each) => each != null);
    const alive = await findProcessesIn("git", folders);
    if (alive === undefined || alive.length > 0) throw held(present, alive);
    for (const file of present) await rm(file, { force: true });
  }
  if (begin.indexOf !== null && (await ownerOfIndexLock(begin.indexOf)) === begin.operation) {
    await rm(path.join(begin.indexOf, "index.lock"), { force: true });
  }
}

const exists = async (file: string): Promise<boolean> =>
  readFile(file).then(
    () => true,
    () => false,
  );

function held(files: readonly string[], alive: readonly number[] | undefined): KaiError {
  return new KaiError("E113", `git locks are held in this repository: ${files.join(", ")}`, {
    hint: alive?.length
      ? `Wait for git (process ${alive.join(", ")}) to end and run \`git kai-version recover\`.`
      : "If no git process runs in it, remove these files and run `git kai-version recover`.",
  });
}
