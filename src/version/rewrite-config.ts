import type { Repository } from "../git/repository.js";
import { readLog } from "../operation/log.js";
import { findConfigText } from "./agent-repository.js";
import { type InitialFiles, planInitialFiles } from "./initial-files.js";
import { findLoggedConfig } from "./logged-config.js";
import { readStatus } from "./work-tree-status.js";

/**
 * What `init` writes where a log is here and no kai.yaml, and neither a version nor HEAD has one to take it from: it was
 * never committed. Undefined where there is one, and in a bare repository.
 */
export async function planRewrittenConfig(
  repository: Repository,
  wantedId: string | undefined,
): Promise<InitialFiles | undefined> {
  const { workTree } = repository;
  if (workTree === undefined || (await findConfigText(repository)) !== undefined) return undefined;
  if ((await findLoggedConfig(repository)) !== undefined) return undefined;
  const here = { ...repository, workTree };
  return planInitialFiles(here, await readStatus(here, "all"), wantedId ?? (await foundedId(repository)));
}

/** The id that the log was founded for. */
async function foundedId(repository: Repository): Promise<string | undefined> {
  const agent = (await readLog(repository)).at(-1)?.details["agent"];
  return typeof agent === "string" && agent !== "" ? agent : undefined;
}
