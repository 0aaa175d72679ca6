import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { LOG_REF, type LoggedEntry, parseEntryMessage } from "./entry.js";

/** All entries of the log, newest first, from one git process; entries that are none of ours are left out. */
export async function readLog(repository: Repository, from: string = LOG_REF): Promise<LoggedEntry[]> {
  const out = await runGit(repository, [...PLAIN_LOG, "-z", "--topo-order", "--format=%H %P%n%B", from, "--"]);
  return parseLogOutput(out.toString());
}

export function parseLogOutput(text: string): LoggedEntry[] {
  const entries: LoggedEntry[] = [];
  for (const part of text.split("\0")) {
    if (part === "") continue;
    const end = part.indexOf("\n");
    const [commit = "", ...parents] = part.slice(0, end).trim().split(" ");
    const parsed = parseEntryMessage(part.slice(end + 1));
    if (parsed) entries.push({ ...parsed.entry, commit, parents, subject: parsed.subject });
  }
  return entries;
}
