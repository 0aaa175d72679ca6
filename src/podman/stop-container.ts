import { KaiError } from "../error.js";
import { unpauseContainer } from "./pause-container.js";
import { runPodman } from "./podman.js";

/** Podman's own time for what follows the end of the processes. */
const CLEAN_UP_MS = 60_000;

/**
 * Ends a container, a paused one too: SIGTERM to its first process, after `graceMs` SIGKILL to all. Its files stay; no error
 * where it does not run, or is not there.
 */
export async function stopContainer(name: string, graceMs: number, env: NodeJS.ProcessEnv): Promise<void> {
  const stop = () => {
    const args = ["stop", "--ignore", "--time", String(Math.ceil(graceMs / 1000)), name];
    return runPodman(args, { env, timeoutMs: graceMs + CLEAN_UP_MS });
  };
  let result = await stop();
  // What is paused hears no signal.
  if (result.exitCode !== 0 && (await unpauseContainer(name, env))) result = await stop();
  if (result.exitCode === 0) return;
  throw new KaiError("E103", `The sandbox ${name} could not be stopped: ${result.stderr.toString().trim()}`, {
    hint: `\`podman rm --force ${name}\` ends and removes it.`,
  });
}
