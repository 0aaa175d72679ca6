import { isAlive } from "../system/process-identity.js";
import { cgroupOf, removeCgroup } from "./cgroup-usage.js";
import { runPodman } from "./podman.js";
import { removeContainer } from "./run-container.js";

/** The label of every sandbox: the identity of the process that waits for it. */
export const OWNER_LABEL = "kai.owner";

interface ListedContainer {
  Names: string[];
  Labels: Record<string, string> | null;
}

/** Removes the sandboxes whose owner died without doing so; gives their names. */
export async function removeLeftovers(env: NodeJS.ProcessEnv): Promise<string[]> {
  const result = await runPodman(["ps", "--all", "--filter", `label=${OWNER_LABEL}`, "--format", "json"], { env });
  if (result.exitCode !== 0) return [];
  const removed: string[] = [];
  for (const { Names, Labels } of JSON.parse(result.stdout.toString() || "[]") as ListedContainer[]) {
    const [name] = Names;
    if (name === undefined || (await isAlive(Labels?.[OWNER_LABEL] ?? ""))) continue;
    await removeContainer(name, env);
    await removeCgroup(cgroupOf(name));
    removed.push(name);
  }
  return removed;
}
