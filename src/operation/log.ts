import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { LOG_REF, type LoggedEntry, parseEntryMessage } from "./entry.js";

/** The entries of the log, newest first and at most so many, from one git process; entries that are none of ours are left out. */
export async function readLog(
  repository: Repository,
  { from = LOG_REF, most }: { readonly from?: string; readonly most?: number } = {},
): Promise<LoggedEntry[]> {
  const count = most === undefined ? [] : [`--max-count=${most}`];
  const out = await runGit(repository, [
    ...PLAIN_LOG,
    ...count,
    "-z",
    "--topo-order",
    "--format=%H %P%n%B",
    from,
    "--",
  ]);
  return parseLogOutput(out.toString());
}

export const parseLogOutput = (text: string): LoggedEntry[] => [...logEntries(text)];

/** The same one by one: whoever looks for one of the newest need not have all of them parsed. */
export function* logEntries(text: string): Generator<LoggedEntry> {
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf("\0", start);
    const part = text.slice(start, next < 0 ? text.length : next);
    start = next < 0 ? text.length : next + 1;
    const end = part.indexOf("\n");
    const [commit = "", ...parents] = part.slice(0, end).trim().split(" ");
    const parsed = parseEntryMessage(part.slice(end + 1));
    if (parsed) yield { ...parsed.entry, commit, parents, subject: parsed.subject };
  }
}
