import { isAlive } from "../system/process-identity.js";
import { listContainers } from "./list-containers.js";
import { removeNetwork } from "./network.js";
import { removeContainer } from "./remove-container.js";

/** The label of sandboxes that are no snapshot's: the identity of the process that waits for them. */
export const OWNER_LABEL = "kai.owner";

/** Removes the sandboxes whose owner died without doing so, and networks of their own; gives their names, in a dry run alone. */
export async function removeLeftovers(env: NodeJS.ProcessEnv, dryRun = false): Promise<string[]> {
  const removed: string[] = [];
  for (const { name, labels, networks } of await listContainers(OWNER_LABEL, env)) {
    if (isAlive(labels[OWNER_LABEL] ?? "")) continue;
    removed.push(name);
    if (dryRun) continue;
    await removeContainer(name, env);
    // A network has the name of its container.
    if (networks.includes(name)) await removeNetwork(name, env);
  }
  return removed;
}
