import { KaiError } from "../../error.js";
import { readablePath } from "../../system/path-bytes.js";
import { type FoundChanges, MOST_PATHS } from "./found-changes.js";

/** Beyond this a file belongs outside of git: `artifacts.models.storage`. */
const LARGEST_FILE = 1024 ** 3;

/**
 * The changes without files that are too large, which join what is refused. E128 where there are more paths than were looked at,
 * or more bytes than the sandbox was to have.
 */
export function requireAcceptable(found: FoundChanges, mostBytes: number): FoundChanges {
  if (found.truncated) {
    throw notTaken(
      `it has more than ${MOST_PATHS} changed paths`,
      "Remove what is not to be kept, in the sandbox, and try again.",
    );
  }
  const refused = new Map(found.refused);
  const changes = found.changes.filter(({ path, size }) => {
    if (size <= LARGEST_FILE) return true;
    refused.set(path, `too large for a version: ${size} bytes`);
    return false;
  });
  const bytes = changes.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) {
    const largest = changes.reduce((most, each) => (each.size > most.size ? each : most));
    throw notTaken(
      `its files hold ${bytes} bytes, and resource_limits.storage is ${mostBytes}`,
      `The largest is ${readablePath(largest.path)}.`,
    );
  }
  return { ...found, changes, refused };
}

const notTaken = (why: string, hint: string): KaiError =>
  new KaiError("E128", `What the snapshot changed is not taken: ${why}.`, { hint });
