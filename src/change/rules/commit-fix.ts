import type { CommitRule } from "./commit-rule.js";

export const commitFix: CommitRule = {
  id: "commit-fix",
  level: "patch",
  explain: "A defect is mended, and what worked still works.",
  remedy: "Release a new patch version.",
  applies: ({ parsed }) => parsed?.type === "fix",
  message: () => "mends a defect",
};
