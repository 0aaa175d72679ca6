import { type Bump, demandedBump, highestBump } from "./bump.js";
import type { CommitText } from "./conventional-commit.js";
import { type Finding, fingerprintOf } from "./finding.js";
import { judgedCommits } from "./judged-commits.js";
import type { CommitRule, JudgedCommit } from "./rules/commit-rule.js";
import { COMMIT_RULES } from "./rules/commit-rules.js";

export { changelogOf } from "./changelog.js";
export type { CommitText } from "./conventional-commit.js";
export type { Finding } from "./finding.js";

export interface VerdictRequest {
  /** The commits since the version in force, in any order. */
  commits: readonly CommitText[];
  /** False before 1.0.0, where minor may break. */
  stable: boolean;
}

export interface Verdict {
  required: Bump;
  /** In the order of the commits. */
  findings: Finding[];
}

/** Says which bump the commits demand, and why. A finding keeps its rule's level; `required` has the 0.x rule applied. */
export function judge({ commits, stable }: VerdictRequest): Verdict {
  const findings: Finding[] = [];
  for (const commit of judgedCommits(commits)) {
    const rule = COMMIT_RULES.find(({ applies }) => applies(commit));
    if (rule) findings.push(findingOf(rule, commit));
  }
  return { required: highestBump(findings.map(({ level }) => demandedBump(level, stable))), findings };
}

function findingOf(rule: CommitRule, commit: JudgedCommit): Finding {
  const { oid, subject } = commit.text;
  return {
    rule: rule.id,
    level: rule.level,
    file: null,
    line: null,
    message: `${oid.slice(0, 12)} (${subject.trim()}) ${rule.message(commit)}`,
    remedy: rule.remedy,
    fingerprint: fingerprintOf(rule.id, [subject.trim(), commit.parsed?.breakingNote ?? ""]),
    commit: oid,
  };
}
