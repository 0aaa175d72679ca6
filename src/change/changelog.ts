import type { CommitText } from "./conventional-commit.js";
import { judgedCommits } from "./judged-commits.js";

/** One line of a version's changelog. */
export interface ChangelogEntry {
  /** Conventional type; `other` for a message that has none. */
  type: string;
  scope: string | null;
  description: string;
  breaking: boolean;
  commit: string;
}

/** What the commits bring, in their order, without those that cancel out and those that change nothing. */
export function changelogOf(commits: readonly CommitText[]): ChangelogEntry[] {
  return judgedCommits(commits)
    .filter(({ text, parsed, revertedBy }) => revertedBy === undefined && (parsed || text.changedFiles !== false))
    .map(({ text, parsed }) => ({
      type: parsed?.type ?? "other",
      scope: parsed?.scope ?? null,
      description: parsed?.description ?? text.subject.trim(),
      breaking: parsed?.breaking ?? false,
      commit: text.oid,
    }));
}
