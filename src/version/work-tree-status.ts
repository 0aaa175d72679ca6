import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import { readRef } from "../operation/read-ref.js";

export interface WorkTreeStatus {
  /** No working tree is here. */
  readonly bare: boolean;
  /** HEAD's commit; null on a branch without commits. */
  readonly head: string | null;
  /** The branch's full ref; null when HEAD is detached. */
  readonly branch: string | null;
  /** Tracked paths (latin1) that differ from HEAD, in the index or in the working tree. */
  readonly dirty: readonly string[];
  /** Of those, submodules that only stand on another commit, or were changed in themselves: no operation touches what is in them. */
  readonly submodules: readonly string[];
  /** Untracked paths, folders as one; ignored ones not counted. */
  readonly untracked: readonly string[];
  readonly unmerged: readonly string[];
}

export async function readStatus(
  repository: Repository,
  untracked: "no" | "normal" | "all" = "normal",
): Promise<WorkTreeStatus> {
  if (repository.workTree === undefined) return bareStatus(repository);
  const out = await runGit(repository, [
    "status",
    "--porcelain=v2",
    "-z",
    "--branch",
    "--no-renames",
    `--untracked-files=${untracked}`,
  ]);
  return parseStatus(out.toString("latin1"));
}

async function bareStatus(repository: Repository): Promise<WorkTreeStatus> {
  const [head, name] = await Promise.all([
    readRef(repository, "HEAD^{commit}"),
    tryGit(repository, ["symbolic-ref", "--quiet", "HEAD"]),
  ]);
  const branch = name.exitCode === 0 ? name.stdout.toString().trim() : null;
  return { bare: true, head, branch, dirty: [], submodules: [], untracked: [], unmerged: [] };
}

/** Reads `git status --porcelain=v2 -z --branch --no-renames`. */
export function parseStatus(text: string): WorkTreeStatus {
  const status = {
    bare: false,
    head: null as string | null,
    branch: null as string | null,
    dirty: [] as string[],
    submodules: [] as string[],
    untracked: [] as string[],
    unmerged: [] as string[],
  };
  for (const line of text.split("\0")) {
    if (line.startsWith("# branch.oid ")) {
      const id = line.slice("# branch.oid ".length);
      status.head = id === "(initial)" ? null : id;
    } else if (line.startsWith("# branch.head ")) {
      const name = Buffer.from(line.slice("# branch.head ".length), "latin1").toString();
      status.branch = name === "(detached)" ? null : `refs/heads/${name}`;
    } else if (line.startsWith("1 ")) {
      status.dirty.push(afterFields(line, 8));
      // 1 <XY> <sub> …: of a submodule `sub` begins with S; nothing of it is staged where X is a dot.
      if (/^1 \.. S/.test(line)) status.submodules.push(afterFields(line, 8));
    } else if (line.startsWith("u ")) {
      status.unmerged.push(afterFields(line, 10));
    } else if (line.startsWith("? ")) {
      status.untracked.push(line.slice(2));
    }
  }
  return status;
}

function afterFields(line: string, count: number): string {
  let offset = 0;
  for (let field = 0; field < count; field++) offset = line.indexOf(" ", offset) + 1;
  return line.slice(offset);
}

/** The commit that HEAD is on. E125 where there is none, or a merge is under way. */
export function requireCommit(status: WorkTreeStatus): string {
  if (status.unmerged.length > 0) {
    throw new KaiError("E125", "A merge is under way: some files are not merged.", {
      hint: "Finish it with `git commit`, or leave it with `git merge --abort`.",
    });
  }
  if (status.head !== null) return status.head;
  throw new KaiError("E125", "This branch has no commit yet.", {
    hint: "Commit your agent first: `git add -A && git commit`.",
  });
}

/** Refuses (E125) a shallow clone, for what counts commits: some of them may be missing. */
export function requireWholeHistory(repository: Pick<Repository, "shallow">): void {
  if (!repository.shallow) return;
  throw new KaiError("E125", "This is a shallow clone: commits that the next number depends on may be missing.", {
    hint: "`git fetch --unshallow` brings them.",
  });
}

/** The branch that an operation is about to move, and its files with it. E125 on a detached HEAD or without a working tree. */
export function requireBranch(status: WorkTreeStatus): string {
  if (status.bare) {
    throw new KaiError("E125", "A bare repository has no working tree to put files into.", {
      hint: "Run it in a clone and push from there.",
    });
  }
  if (status.branch !== null) return status.branch;
  throw new KaiError("E125", "HEAD is detached: there is no branch to put a commit on.", {
    hint: "`git switch BRANCH` goes to one, `git switch -c NAME` makes one here.",
  });
}
