import { isAlive } from "../system/process-identity.js";
import { cgroupOf, removeCgroup } from "./cgroup-usage.js";
import { runPodman } from "./podman.js";

/**
 * Ends and removes a container at once, and its control group; no error where there is none. `first` is the identity of its
 * first process, where it is known: podman, told to kill it, looks only now and then whether it is gone.
 */
export async function removeContainer(name: string, env: NodeJS.ProcessEnv, first?: string): Promise<void> {
  if (first !== undefined && (await isAlive(first))) killProcess(Number(first.split(":")[1]));
  await runPodman(["rm", "--force", "--time", "0", "--ignore", name], { env });
  await removeCgroup(cgroupOf(name));
}

function killProcess(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
