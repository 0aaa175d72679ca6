import { findStateFiles } from "../state/find-state-files.js";
import { distinctPath, findStat, pathBelow, readablePath } from "../system/path-bytes.js";
import { findStoppable } from "./running-agent.js";
import type { WritingSession } from "./writing-session.js";

/** The state that a version made now would capture. */
export interface ForeseenState {
  readonly files: readonly string[];
  /** Named as state, and no regular files. */
  readonly skipped: readonly string[];
  /** Whether the agent may be stopped for a moment where it writes meanwhile, and why it may not, a sentence; nothing to capture is no reason. */
  readonly mayStop: boolean;
  readonly notStopped: string | null;
}

/** Looks at it without opening a file or running a command. */
export async function foreseeState(
  session: WritingSession,
  request: { readonly trustCommands: boolean },
): Promise<ForeseenState> {
  const { repository, config } = session.agent;
  const { workTree } = repository;
  const files: string[] = [];
  const skipped: string[] = [];
  if (workTree === undefined) return { files, skipped, mayStop: false, notStopped: null };
  for (const name of await findStateFiles(repository, config.version_management.artifacts.state)) {
    if ((await findStat(pathBelow(workTree, name)))?.isFile()) files.push(distinctPath(name));
    else skipped.push(readablePath(name));
  }
  if (files.length === 0) return { files, skipped, mayStop: false, notStopped: null };
  const found = await findStoppable(session, { ...request, holds: false });
  return typeof found === "string"
    ? { files, skipped, mayStop: false, notStopped: found }
    : { files, skipped, mayStop: true, notStopped: null };
}
