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

/** That versions' state is kept, or no longer. */
export interface Keeping {
  readonly action: "keep" | "unkeep";
  readonly tags: readonly string[];
}

/** What an entry says in its details: of kind `state`, or of kind `undo` where it takes back that state was kept. */
export const keepingDetails = ({ action, tags }: Keeping): Record<string, unknown> => ({ action, tags });
export const forgottenDetails = (tags: readonly string[]): Record<string, unknown> => ({ action: "forget", tags });

/** What an entry says of it; undefined where it says something else. */
export function keepingOf({ kind, details }: Pick<LoggedEntry, "kind" | "details">): Keeping | undefined {
  const { action, tags } = details;
  if ((kind !== "state" && kind !== "undo") || (action !== "keep" && action !== "unkeep")) return undefined;
  return { action, tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [] };
}

/** The same of entries, newest first: the newest word counts. */
export function stateHistoryOf(entries: readonly LoggedEntry[]): StateHistory {
  const forgotten = new Map<string, string>();
  const kept = new Set<string>();
  for (const entry of entries.toReversed()) {
    for (const { ref, new: next } of entry.changes) {
      if (next === null && ref.startsWith(STATE_REFS)) forgotten.set(ref.slice(STATE_REFS.length), entry.at);
    }
    const { action, tags = [] } = keepingOf(entry) ?? {};
    for (const tag of tags) {
      if (action === "keep") kept.add(tag);
      else kept.delete(tag);
    }
  }
  return { forgotten, kept };
}

/** Basic regular expressions for the lines of entries that say something of it; other entries that they find do no harm. */
const TELLING = [
  '"kind":"state"',
  '"action":"keep"',
  '"action":"unkeep"',
  `"new":null,"old":"[0-9a-f]*","ref":"${STATE_REFS}`,
];

/** The same from one git process, which looks through the log and prints only what matters. */
export async function readStateHistory(repository: Repository): Promise<StateHistory> {
  const words = TELLING.map((line) => `--grep=${line}`);
  const args = [...PLAIN_LOG, "--basic-regexp", ...words, "-z", "--format=%H %P%n%B", LOG_REF, "--"];
  return stateHistoryOf(parseLogOutput((await runGit(repository, args)).toString()));
}
