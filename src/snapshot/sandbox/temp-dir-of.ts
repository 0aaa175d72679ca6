import path from "node:path";
import type { AgentConfig } from "../../agent/config.js";
import type { Repository } from "../../git/repository.js";

/** The agent's `temp_dir`; a relative one is seen from the agent's folder, in a bare repository from that. */
export const tempDirOf = (config: AgentConfig, { workTree, gitDir }: Pick<Repository, "workTree" | "gitDir">): string =>
  path.resolve(workTree ?? gitDir, config.snapshot_isolation.temp_dir);
