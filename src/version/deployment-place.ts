import { realpath } from "node:fs/promises";
import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import type { Repository } from "../git/repository.js";

/** The folder that `deploy.root` of kai.yaml names, relative to the working tree; null where none is named. */
export function configuredRoot(repository: Repository, config: AgentConfig): Promise<string | null> {
  const { root } = config.deploy;
  return root === null
    ? Promise.resolve(null)
    : canonicalFolder(path.resolve(repository.workTree ?? repository.gitDir, root));
}

/** The folder's own path, links on the way to it resolved; it need not be there yet. */
export async function canonicalFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    const parent = path.dirname(folder);
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || parent === folder) throw cause;
    return path.join(await canonicalFolder(parent), path.basename(folder));
  }
}
