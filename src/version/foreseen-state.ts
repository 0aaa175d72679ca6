import type { AgentConfig } from "../agent/config.js";
import type { Repository } from "../git/repository.js";
import { findStateFiles } from "../state/find-state-files.js";
import { distinctPath, findStat, pathBelow, readablePath } from "../system/path-bytes.js";

/** The state that a version made now would capture, and what is named as state and is no regular file. Opens none of them. */
export async function foreseeState(
  repository: Repository,
  config: AgentConfig,
): Promise<{ readonly files: readonly string[]; readonly skipped: readonly string[] }> {
  const { workTree } = repository;
  const files: string[] = [];
  const skipped: string[] = [];
  if (workTree === undefined) return { files, skipped };
  for (const name of await findStateFiles(repository, config.version_management.artifacts.state)) {
    if ((await findStat(pathBelow(workTree, name)))?.isFile()) files.push(distinctPath(name));
    else skipped.push(readablePath(name));
  }
  return { files, skipped };
}
