import { existsSync } from "node:fs";
import path from "node:path";
import { KaiError } from "../error.js";
import { findOtherCheckouts } from "../git/checkouts.js";
import type { Repository } from "../git/repository.js";
import { requireBranch, type WorkTreeStatus } from "./work-tree-status.js";

/** What git goes on with at the next commit, whose parents would not be those that it began with, by the file that says so. */
const UNDER_WAY = [
  ["MERGE_HEAD", "merge"],
  ["CHERRY_PICK_HEAD", "cherry-pick"],
  ["REVERT_HEAD", "revert"],
] as const;

/**
 * The branch that an operation is about to move. E125 where there is none, another worktree stands on it too, or git is in the middle
 * of something on it.
 */
export async function requireMovableBranch(repository: Repository, status: WorkTreeStatus): Promise<string> {
  const branch = requireBranch(status);
  const [, what] = UNDER_WAY.find(([file]) => existsSync(path.join(repository.gitDir, file))) ?? [];
  if (what !== undefined) {
    throw new KaiError("E125", `A ${what} is under way here, which git goes on with at the next commit.`, {
      hint: `End it first: \`git ${what} --continue\` or \`git ${what} --abort\`; \`git ${what} --quit\` forgets it and leaves the files as they are.`,
    });
  }
  const [folder] = await findOtherCheckouts(repository, branch);
  if (folder === undefined) return branch;
  throw new KaiError("E125", `The branch ${branch.slice("refs/heads/".length)} is checked out in ${folder} too.`, {
    hint: "Moving it here would leave the files there behind: switch one of the two to another branch.",
  });
}
