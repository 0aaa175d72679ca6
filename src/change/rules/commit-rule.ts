import type { CommitText, ConventionalCommit } from "../conventional-commit.js";
import type { Level } from "../finding.js";

/** A commit as the rules see it. */
export interface JudgedCommit {
  readonly text: CommitText;
  /** Undefined when the message does not follow Conventional Commits. */
  readonly parsed: ConventionalCommit | undefined;
  /** The commit of the range that took this one back, if one did. */
  readonly revertedBy: string | undefined;
}

/** A rule about one commit, as data: the first of the list that applies speaks. */
export interface CommitRule {
  readonly id: string;
  readonly level: Level;
  /** Why such a commit demands this level. */
  readonly explain: string;
  readonly remedy: string;
  readonly applies: (commit: JudgedCommit) => boolean;
  /** What was found, ready to follow the name of the commit. */
  readonly message: (commit: JudgedCommit) => string;
}
