import { runPodman } from "./podman.js";

/** Holds all processes of a container where they are; false where the host has no freezer for it, or it does not run. */
export async function pauseContainer(name: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await runPodman(["pause", name], { env })).exitCode === 0;
}

/** Lets them go on; false where it was not paused. */
export async function unpauseContainer(name: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await runPodman(["unpause", name], { env })).exitCode === 0;
}
