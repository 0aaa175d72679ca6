import { startDetached } from "../system/process.js";
import { isAlive } from "../system/process-identity.js";
import { cgroupOf, removeCgroup } from "./cgroup-usage.js";
import { podmanEnvironment, runPodman } from "./podman.js";

const ATTEMPTS = 3;

/**
 * Ends and removes a container at once, and its control group; no error where there is none. `first` is the identity of its
 * first process, where it is known: podman, told to kill it, looks only now and then whether it is gone.
 */
export async function removeContainer(name: string, env: NodeJS.ProcessEnv, first?: string): Promise<void> {
  if (first !== undefined) killFirst(first);
  // It fails where what follows a container's end, by another podman, is at work in the same moment.
  for (let left = ATTEMPTS; left > 0; left--) {
    if ((await runPodman(removal(name), { env })).exitCode === 0) break;
  }
  await removeCgroup(cgroupOf(name));
}

/**
 * Ends a container at once, and has podman remove it when nobody waits any more. Whoever removes it again takes away what that
 * leaves: its control group, or all of it where podman was killed.
 */
export function dismissContainer(name: string, env: NodeJS.ProcessEnv, first: string): void {
  killFirst(first);
  startDetached("podman", ["--remote=false", ...removal(name)], podmanEnvironment(env));
}

const removal = (name: string): string[] => ["rm", "--force", "--time", "0", "--ignore", name];

function killFirst(first: string): void {
  if (isAlive(first)) killProcess(Number(first.split(":")[1]));
}

function killProcess(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
