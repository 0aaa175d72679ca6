import type { CommitRule } from "./commit-rule.js";

export const commitOther: CommitRule = {
  id: "commit-other",
  level: "patch",
  explain: "Files of the agent differ, so its version hash does; the message claims no more than that.",
  remedy: "Release a new patch version. If it adds or breaks something, say so with `feat:` or `!`.",
  applies: ({ text }) => text.changedFiles !== false,
  message: ({ parsed }) => (parsed ? `is of type ${parsed.type}` : "does not follow Conventional Commits"),
};
