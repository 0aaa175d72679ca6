import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { LOG_REF, type LoggedEntry } from "../operation/entry.js";
import { parseLogOutput } from "../operation/log.js";

const STATE_REFS = "refs/kai/state/";

/** The ref of the state captured with a version. */
export const stateRefOf = (tag: string): string => `${STATE_REFS}${tag}`;

/** What the log says became of captured state; all by tag. */
export interface StateHistory {
  /** When it was forgotten, by the rule or by name (ISO 8601). */
  readonly forgotten: ReadonlyMap<string, string>;
  /** Kept whatever `artifacts.state.keep` says. */
  readonly kept: ReadonlySet<string>;
}

/** What an entry of kind `state` says in its details. */
export const keptDetails = (tags: readonly string[]): Record<string, unknown> => ({ action: "keep", tags });
export const forgottenDetails = (tags: readonly string[]): Record<string, unknown> => ({ action: "forget", tags });

function stateHistoryOf(entries: readonly LoggedEntry[]): StateHistory {
  const forgotten = new Map<string, string>();
  const kept = new Set<string>();
  for (const { kind, details, changes, at } of entries) {
    for (const { ref, new: next } of changes) {
      if (next === null && ref.startsWith(STATE_REFS)) forgotten.set(ref.slice(STATE_REFS.length), at);
    }
    const tags = details["tags"];
    if (kind !== "state" || details["action"] !== "keep" || !Array.isArray(tags)) continue;
    for (const tag of tags) if (typeof tag === "string") kept.add(tag);
  }
  return { forgotten, kept };
}

/** Basic regular expressions for the lines of entries that say something of it; other entries that they find do no harm. */
const TELLING = ['"kind":"state"', `"new":null,"old":"[0-9a-f]*","ref":"${STATE_REFS}`];

/** The same from one git process, which looks through the log and prints only what matters. */
export async function readStateHistory(repository: Repository): Promise<StateHistory> {
  const words = TELLING.map((line) => `--grep=${line}`);
  const args = [...PLAIN_LOG, "--basic-regexp", ...words, "-z", "--format=%H %P%n%B", LOG_REF, "--"];
  return stateHistoryOf(parseLogOutput((await runGit(repository, args)).toString()));
}
