import { cancelledCommits } from "./cancelled-commits.js";
import { type CommitText, parseCommit } from "./conventional-commit.js";
import type { JudgedCommit } from "./rules/commit-rule.js";

/** The commits as the rules see them, in their order, without reverts of which nothing is left to tell. */
export function judgedCommits(commits: readonly CommitText[]): JudgedCommit[] {
  const { reverted, spent } = cancelledCommits(commits);
  return commits
    .filter(({ oid }) => !spent.has(oid))
    .map((text) => ({ text, parsed: parseCommit(text), revertedBy: reverted.get(text.oid) }));
}
