import type { CommitRule } from "./commit-rule.js";

export const revertCancelled: CommitRule = {
  id: "revert-cancelled",
  level: "none",
  explain: "A commit and its revert in the same range leave nothing for users to notice.",
  remedy: "Nothing to do. To bring the change back, revert the revert.",
  applies: ({ revertedBy }) => revertedBy !== undefined,
  message: ({ revertedBy = "" }) => `was taken back by ${revertedBy.slice(0, 12)}`,
};
