import { stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import type { BeginRecord } from "./journal.js";

export interface Worktree {
  readonly gitDir: string;
  readonly workTree: string;
}

/**
 * The worktree that an interrupted operation was at work in; undefined where it had none, or that is gone. In a repository
 * that was copied or moved since, the journal's own paths lead to another one: then only the worktree that we are in
 * will do, and E114 says so.
 */
export async function findWorktree(repository: Repository, begin: BeginRecord): Promise<Worktree | undefined> {
  if (begin.indexOf === null || begin.workTree === null) return undefined;
  if (begin.commonDir === repository.commonDir) {
    return (await isFolder(begin.indexOf)) && (await isFolder(begin.workTree))
      ? { gitDir: begin.indexOf, workTree: begin.workTree }
      : undefined;
  }
  const gitDir = path.join(repository.commonDir, path.relative(begin.commonDir, begin.indexOf));
  if (gitDir === repository.gitDir && repository.workTree !== undefined) {
    return { gitDir, workTree: repository.workTree };
  }
  if (!(await isFolder(gitDir))) return undefined;
  throw new KaiError("E114", `An operation was interrupted in another worktree: ${begin.workTree} at that time.`, {
    hint: "The repository was moved or copied since. Run `git kai-version recover` in that worktree.",
  });
}

const isFolder = (folder: string): Promise<boolean> =>
  stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
