import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type ContainerProcess, listContainerProcesses, readProcess } from "./container-processes.js";
import { runPodman } from "./podman.js";
import { processesOfExec } from "./processes-of-exec.js";
import type { RunningContainer } from "./start-container.js";

/** The variable that names the execution that a process belongs to. */
export const EXEC_MARK = "KAI_EXEC";

const PATIENCE_MS = 20_000;
const PAUSE_MS = 20;

/**
 * Kills whatever an execution started in a container, wherever it hides there; the container's first process and what other
 * executions started stay. All are stopped first, so that nothing is forked meanwhile. Until `ended` it also waits for an
 * execution that is only about to start. Where the container has a kernel of its own, all of it is killed. False where
 * something could not be.
 */
export async function endExec(
  { name, process: identity, ownKernel }: RunningContainer,
  id: string,
  since: number,
  env: NodeJS.ProcessEnv,
  ended?: AbortSignal,
): Promise<boolean> {
  if (ownKernel) return (await runPodman(["kill", "--signal", "KILL", name], { env })).exitCode === 0;
  const first = Number(identity.split(":")[1]);
  const find = async () => {
    const processes = await listContainerProcesses(first, EXEC_MARK);
    return processesOfExec(processes, { first, id, since, now: await uptimeTicks() });
  };
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    let { found, doubtful } = await find();
    if (found.length === 0 && !doubtful && (ended === undefined || ended.aborted)) return true;
    for (let running = found; running.length > 0; running = found.filter(({ stopped }) => !stopped)) {
      await signalAll(running, "SIGSTOP");
      ({ found } = await find());
      if (performance.now() > until) break;
    }
    await signalAll(found, "SIGKILL");
    await pause(PAUSE_MS);
  }
  return false;
}

/** What the clock of /proc/<pid>/stat says now: hundredths of a second since boot. */
export async function uptimeTicks(): Promise<number> {
  const [seconds = "0"] = (await readFile("/proc/uptime", "utf8")).split(" ");
  return Math.floor(Number(seconds) * 100);
}

/** Sends a signal to processes of a container, to none that has only the number of one. */
export async function signalAll(
  processes: readonly ContainerProcess[],
  signal: "SIGSTOP" | "SIGCONT" | "SIGKILL",
): Promise<void> {
  await Promise.all(
    processes.map(async ({ id, started }) => {
      // Its number may be another's by now.
      if ((await readProcess(id, EXEC_MARK))?.started !== started) return;
      try {
        process.kill(id, signal);
      } catch {
        // It ended.
      }
    }),
  );
}
