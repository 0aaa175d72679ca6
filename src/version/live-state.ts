import { createClassifier } from "../agent/component.js";
import type { AgentConfig } from "../agent/config.js";
import { readablePath } from "../system/path-bytes.js";

/** Tells whether a path (latin1) is the agent's live state: never counted as dirty, and never written by an operation on files. */
export function liveStateOf(config: AgentConfig): (path: string) => boolean {
  const componentOf = createClassifier(config.version_management.artifacts);
  return (path) => componentOf(readablePath(path)) === "state";
}
