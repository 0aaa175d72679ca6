import type { CommitRule } from "./commit-rule.js";

export const commitPerf: CommitRule = {
  id: "commit-perf",
  level: "patch",
  explain: "The same is done at a lower cost.",
  remedy: "Release a new patch version.",
  applies: ({ parsed }) => parsed?.type === "perf",
  message: () => "makes something cheaper",
};
