import { readablePath } from "../system/path-bytes.js";
import type { Risk, RiskFacts } from "./risks.js";

const DEPENDENCIES_STAY: Risk = {
  kind: "dependencies_stay",
  severity: "medium",
  message: "lock files differ, and nothing installs what the target's name: what is installed stays",
};

/** What becomes of files that are in the way of it, and of what they need. */
export const fileRisks = (facts: RiskFacts): Risk[] => [
  ...(facts.dirty > 0 ? [dirtyFiles(facts)] : []),
  ...(facts.obstacles.length > 0 ? [untrackedFiles(facts)] : []),
  ...(facts.dependenciesStay ? [DEPENDENCIES_STAY] : []),
];

const dirtyFiles = (facts: RiskFacts): Risk =>
  replacedFiles(facts, "dirty_files", {
    forced: `changed files are saved and replaced: ${facts.dirty}`,
    refused: `files are changed and not committed: ${facts.dirty}`,
    until: "they are put away, as by `git stash`",
  });

function untrackedFiles(facts: RiskFacts): Risk {
  const names = named(facts.obstacles);
  return replacedFiles(facts, "untracked_files", {
    forced: `untracked files are saved and replaced: ${names}`,
    refused: `untracked files are in the way: ${names}`,
    until: "they are moved away",
  });
}

/** Files that refuse it; forced they are saved, and where an operation is taken back nothing forces it. */
function replacedFiles(
  { forced, takesBack }: RiskFacts,
  kind: Risk["kind"],
  words: { readonly forced: string; readonly refused: string; readonly until: string },
): Risk {
  if (forced) return { kind, severity: "medium", message: words.forced };
  const refused = takesBack
    ? `it is refused until ${words.until}`
    : "it is refused without `--force`, which saves and replaces them";
  return { kind, severity: "high", message: `${words.refused}; ${refused}` };
}

/** Of many the first are named. */
const NAMED = 5;

const named = (paths: readonly string[]): string =>
  paths.slice(0, NAMED).map(readablePath).join(", ") +
  (paths.length > NAMED ? `, and ${paths.length - NAMED} more` : "");

/** State that cannot go where it was. */
export function blockedState({ blockedState }: RiskFacts): Risk[] {
  if (blockedState.length === 0) return [];
  const what = `something that is no file, or a link on the way, is where state goes: ${named(blockedState)}`;
  return [{ kind: "state_blocked", severity: "high", message: `${what}; it is refused until that is moved away` }];
}
