import { isAlive } from "../system/process-identity.js";
import { listContainers } from "./list-containers.js";
import { removeContainer } from "./remove-container.js";

/** The label of every sandbox: the identity of the process that waits for it. */
export const OWNER_LABEL = "kai.owner";

/** Removes the sandboxes whose owner died without doing so; gives their names. */
export async function removeLeftovers(env: NodeJS.ProcessEnv): Promise<string[]> {
  const removed: string[] = [];
  for (const { name, labels } of await listContainers(OWNER_LABEL, env)) {
    if (await isAlive(labels[OWNER_LABEL] ?? "")) continue;
    await removeContainer(name, env);
    removed.push(name);
  }
  return removed;
}
