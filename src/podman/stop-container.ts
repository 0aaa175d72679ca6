import { runPodman } from "./podman.js";

/** Ends a container: SIGTERM, after `graceMs` SIGKILL. Its files stay; no error where it does not run, or is not there. */
export async function stopContainer(name: string, graceMs: number, env: NodeJS.ProcessEnv): Promise<void> {
  const seconds = Math.ceil(graceMs / 1000);
  await runPodman(["stop", "--ignore", "--time", String(seconds), name], { env, timeoutMs: graceMs + 60_000 });
}
