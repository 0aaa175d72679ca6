import type { LoggedEntry } from "../operation/entry.js";
import type { History } from "../version/history.js";

/**
 * The newest operation that switched the same deployment after this one and still counts: it was not taken back, and takes back
 * none that is later than this one either. Undefined where there is none.
 */
export function findLaterSwitch(
  history: History,
  { id, details }: Pick<LoggedEntry, "id" | "details">,
): LoggedEntry | undefined {
  const later: LoggedEntry[] = [];
  history.findEntry((entry) => {
    if (entry.id !== id && entry.details["root"] === details["root"] && isSwitch(entry)) later.push(entry);
    return entry.id === id;
  });
  const ids = new Set(later.map((entry) => entry.id));
  const takenBack = new Set<string>();
  return later.find((entry) => {
    if (takenBack.has(entry.id)) return false;
    const { undoes } = entry.details;
    if (typeof undoes !== "string" || !ids.has(undoes)) return true;
    takenBack.add(undoes);
    return false;
  });
}

/** Whether a deployment was switched by it: one whose link led there already, or that failed, switched nothing. */
export const isSwitch = ({ details }: LoggedEntry): boolean =>
  details["deployed"] !== undefined &&
  (details["deployed"] !== details["previous"] || details["replaced"] !== undefined);
