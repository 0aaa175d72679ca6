import { openRepository } from "../git/repository.js";
import { readLog } from "../operation/log.js";
import { findOperations, type ListedOperation } from "../version/operations.js";
import type { CommandContext } from "./context.js";

/** What the log says of operations that were just made or recovered, by id. */
export async function loggedOperations(
  ids: readonly string[],
  { cwd, env }: Pick<CommandContext, "cwd" | "env">,
): Promise<ReadonlyMap<string, ListedOperation>> {
  if (ids.length === 0) return new Map();
  // They are the newest, each with what tells of its outcome; and others may have been made since.
  const newest = await readLog(await openRepository(cwd, env), { most: 2 * ids.length + 30 });
  return findOperations(newest, ids);
}
