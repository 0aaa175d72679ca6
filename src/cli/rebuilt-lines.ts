import type { Rebuilt } from "../version/rebuild-projection.js";

/** Versions named in a line; more are only counted. */
const NAMED = 5;

/** What was made again from the log, a line each for records and tags. */
export const rebuiltLines = ({ records, tags }: Rebuilt): string[] => [
  ...lineOf("record", records),
  ...lineOf("tag", tags),
];

function lineOf(what: string, versions: readonly string[]): string[] {
  if (versions.length === 0) return [];
  const named =
    versions.slice(0, NAMED).join(", ") + (versions.length > NAMED ? `, and ${versions.length - NAMED} more` : "");
  return [`Made the ${what}${versions.length === 1 ? "" : "s"} of ${named} again from the log.`];
}
