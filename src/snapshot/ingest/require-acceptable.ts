import { KaiError } from "../../error.js";
import { readablePath } from "../../system/path-bytes.js";
import { type FoundChanges, MOST_PATHS } from "./found-changes.js";

/** A snapshot, as far as it matters to what can be taken of it. */
export interface TakenFrom {
  readonly id: string;
  /** `resource_limits.storage`. */
  readonly mostBytes: number;
  /** Whether a command can still be run in it. */
  readonly takesCommands: boolean;
}

/** E128 where there are more paths than were looked at, or more bytes than the sandbox was to have. */
export function requireAcceptable({ changes, truncated }: FoundChanges, from: TakenFrom): void {
  const { mostBytes } = from;
  if (truncated) throw notTaken(`it has more than ${MOST_PATHS} changed paths`, wayOut(from));
  const bytes = changes.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) {
    const largest = changes.reduce((most, each) => (each.size > most.size ? each : most));
    throw notTaken(
      `its files hold ${bytes} bytes, and resource_limits.storage is ${mostBytes}`,
      `The largest is ${readablePath(largest.path)}. ${wayOut(from)}`,
    );
  }
}

const wayOut = ({ id, takesCommands }: TakenFrom): string =>
  takesCommands
    ? "Remove what is not to be kept, in the sandbox, and try again."
    : `Nothing can be run in it any more: \`git kai-version snapshot diff ${id}\` shows what it changed, \`git kai-version snapshot destroy ${id}\` removes it, with all that was not saved.`;

const notTaken = (why: string, hint: string): KaiError =>
  new KaiError("E128", `What the snapshot changed is not taken: ${why}.`, { hint });
