import { KaiError } from "../error.js";
import { findOtherCheckouts } from "../git/checkouts.js";
import type { Repository } from "../git/repository.js";
import { requireBranch, type WorkTreeStatus } from "./work-tree-status.js";

/** The branch that an operation is about to move. E125 where there is none, or another worktree stands on it too. */
export async function requireMovableBranch(repository: Repository, status: WorkTreeStatus): Promise<string> {
  const branch = requireBranch(status);
  const [folder] = await findOtherCheckouts(repository, branch);
  if (folder === undefined) return branch;
  throw new KaiError("E125", `The branch ${branch.slice("refs/heads/".length)} is checked out in ${folder} too.`, {
    hint: "Moving it here would leave the files there behind: switch one of the two to another branch.",
  });
}
