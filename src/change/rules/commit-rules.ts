import { commitBreaking } from "./commit-breaking.js";
import { commitFeature } from "./commit-feature.js";
import { commitFix } from "./commit-fix.js";
import { commitOther } from "./commit-other.js";
import { commitPerf } from "./commit-perf.js";
import type { CommitRule } from "./commit-rule.js";
import { revertCancelled } from "./revert-cancelled.js";

/** In the order in which they are asked. */
export const COMMIT_RULES: readonly CommitRule[] = [
  revertCancelled,
  commitBreaking,
  commitFeature,
  commitFix,
  commitPerf,
  commitOther,
];
