import type { CommitRule } from "./commit-rule.js";

export const commitFeature: CommitRule = {
  id: "commit-feature",
  level: "minor",
  explain: "Something can be done that could not be done before, and what worked still works.",
  remedy: "Release a new minor version (a patch before 1.0.0).",
  applies: ({ parsed }) => parsed?.type === "feat" || parsed?.type === "feature",
  message: () => "adds a feature",
};
