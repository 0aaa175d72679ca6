import { KaiError } from "../../error.js";
import { readablePath } from "../../system/path-bytes.js";
import { type FoundChanges, MOST_PATHS } from "./found-changes.js";

/** E128 where there are more paths than were looked at, or more bytes than the sandbox was to have. */
export function requireAcceptable({ changes, truncated }: FoundChanges, mostBytes: number): void {
  if (truncated) {
    throw notTaken(
      `it has more than ${MOST_PATHS} changed paths`,
      "Remove what is not to be kept, in the sandbox, and try again.",
    );
  }
  const bytes = changes.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) {
    const largest = changes.reduce((most, each) => (each.size > most.size ? each : most));
    throw notTaken(
      `its files hold ${bytes} bytes, and resource_limits.storage is ${mostBytes}`,
      `The largest is ${readablePath(largest.path)}.`,
    );
  }
}

const notTaken = (why: string, hint: string): KaiError =>
  new KaiError("E128", `What the snapshot changed is not taken: ${why}.`, { hint });
