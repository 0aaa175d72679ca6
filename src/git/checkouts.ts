import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** The folders of the other worktrees of this repository that have `branch` (a full ref) checked out. */
export async function findOtherCheckouts(repository: Repository, branch: string): Promise<string[]> {
  const out = await runGit(repository, ["worktree", "list", "--porcelain", "-z"]);
  const listed = out.toString().split("\0\0");
  // The main worktree comes first, and where its git folder lies elsewhere (a submodule) it goes by the name of that.
  const others = repository.gitDir === repository.commonDir ? listed.slice(1) : listed;
  return others
    .map((entry) => entry.split("\0"))
    .filter((lines) => lines.includes(`branch ${branch}`))
    .map(([first = ""]) => first.slice("worktree ".length))
    .filter((folder) => folder !== repository.workTree);
}
