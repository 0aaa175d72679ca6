import { CURRENT_REF, type LoggedEntry } from "../operation/entry.js";
import type { History } from "../version/history.js";
import type { VersionRecord } from "../version/record.js";
import type { WritingSession } from "../version/writing-session.js";

/** The entry of the log that made the newest version, whatever its number. */
export interface NewestVersion {
  readonly tag: string;
  readonly at: Date;
  readonly record: VersionRecord;
}

/** The version that the log, which is verified, says was made last; undefined where none was. */
export async function findNewestVersion({
  history,
  reader,
}: Pick<WritingSession, "history" | "reader">): Promise<NewestVersion | undefined> {
  const entry = newestEntry(history);
  const tag = entry && tagMadeBy(entry);
  if (entry === undefined || tag === undefined) return undefined;
  const line = await reader.read(`${entry.commit}:record.json`, "blob");
  return { tag, at: new Date(entry.at), record: JSON.parse(line.toString()) as VersionRecord };
}

/** The tag of the same; undefined where none was made. */
export const newestTag = (history: History): string | undefined => {
  const entry = newestEntry(history);
  return entry && tagMadeBy(entry);
};

const newestEntry = (history: History): LoggedEntry | undefined =>
  history.findEntry((entry) => tagMadeBy(entry) !== undefined);

function tagMadeBy({ changes }: LoggedEntry): string | undefined {
  const made = changes.find(
    ({ ref, old, new: id }) => ref.startsWith("refs/tags/") && ref !== CURRENT_REF && old === null && id !== null,
  );
  return made?.ref.slice("refs/tags/".length);
}
