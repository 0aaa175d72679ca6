import type { AgentConfig } from "../agent/config.js";
import { parseCapture } from "../state/capture-manifest.js";
import { findBlocked } from "../state/find-blocked.js";
import { findRemoved } from "../state/find-removed.js";
import { parseStatePath } from "../state/state-path.js";
import type { WritingSession } from "../version/writing-session.js";
import type { StateSource } from "./plan.js";
import { statePatternsOf } from "./state-patterns.js";

/** Paths (latin1) of the state that goes back where a link or a folder is in the way: none where no captured one does. */
export async function findBlockedState(
  { agent, reader }: WritingSession,
  state: StateSource,
  config: AgentConfig,
): Promise<string[]> {
  const { repository } = agent;
  const { workTree } = repository;
  if (state.kind !== "capture" || workTree === undefined) return [];
  const described = await reader.find(`${state.ref}:capture.json`);
  const manifest = described && parseCapture(described.content, state.digest);
  const files = (manifest?.files ?? []).flatMap(({ path: text, kind }) => {
    const path = parseStatePath(text);
    return path === undefined ? [] : [{ path, kind }];
  });
  // What goes away is only looked for where that matters, by a process of its own.
  if (findBlocked(workTree, files, []).length === 0) return [];
  const removed = await findRemoved({ ...repository, workTree }, files, statePatternsOf(agent.config, config));
  return findBlocked(workTree, files, removed);
}
