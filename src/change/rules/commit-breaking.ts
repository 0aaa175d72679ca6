import type { CommitRule } from "./commit-rule.js";

export const commitBreaking: CommitRule = {
  id: "commit-breaking",
  level: "major",
  explain: "The author says that those who use the agent as it was must change something.",
  remedy:
    "Release a new major version (a minor one before 1.0.0), or keep the old behaviour and drop the breaking mark.",
  applies: ({ parsed }) => parsed?.breaking === true,
  message: ({ parsed }) => `breaks: ${parsed?.breakingNote ?? ""}`,
};
