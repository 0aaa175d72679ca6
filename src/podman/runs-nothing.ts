import { isAlive } from "../system/process-identity.js";
import { type GroupFile, readGroupFile } from "./container-group.js";
import type { RunningContainer } from "./start-container.js";

const COUNT: GroupFile = { controller: "pids", first: "pids.current", second: "pids.current" };

/**
 * Whether nothing runs in a container but the process that waits there. Its control group counts all that is in it in one moment, so
 * that nothing escapes the count by forking. False where the host does not say, or the container has a kernel of its own.
 */
export function runsNothing(container: RunningContainer): boolean {
  if (container.ownKernel || !isAlive(container.process)) return false;
  return readGroupFile(container, COUNT)?.trim() === "1";
}
