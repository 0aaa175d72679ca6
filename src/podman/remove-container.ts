import { cgroupOf, removeCgroup } from "./cgroup-usage.js";
import { runPodman } from "./podman.js";

/** Ends and removes a container at once, and its control group; no error where there is none. */
export async function removeContainer(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  await runPodman(["rm", "--force", "--time", "0", "--ignore", name], { env });
  await removeCgroup(cgroupOf(name));
}
