import { openRepository } from "../git/repository.js";
import { readLog } from "../operation/log.js";
import { findOperations, type ListedOperation } from "../version/operations.js";
import type { CommandContext } from "./context.js";

/** What the log says of operations that were just made or recovered, by id. */
export async function loggedOperations(
  ids: readonly string[],
  { cwd, env }: Pick<CommandContext, "cwd" | "env">,
): Promise<ReadonlyMap<string, ListedOperation>> {
  return ids.length === 0 ? new Map() : findOperations(await readLog(await openRepository(cwd, env)), ids);
}
