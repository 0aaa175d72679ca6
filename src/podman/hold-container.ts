import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { listContainerProcesses } from "./container-processes.js";
import { EXEC_MARK, signalAll } from "./end-exec.js";
import { pauseContainer, unpauseContainer } from "./pause-container.js";
import type { RunningContainer } from "./start-container.js";

const PATIENCE_MS = 10_000;
const PAUSE_MS = 10;
/** All but what waits for another one has stopped by then. */
const STUCK_MS = 300;

/**
 * Holds all that runs in a container where it is: by the host's freezer, or where that is not to be had, as for an ordinary user on
 * control groups v1, by signals. The first process, which only waits, may go on then. False where something could not be held.
 */
export async function holdContainer(container: RunningContainer, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (await pauseContainer(container.name, env)) return true;
  if (container.ownKernel) return false;
  const until = performance.now() + PATIENCE_MS;
  let stuck = performance.now() + STUCK_MS;
  while (performance.now() < until) {
    // Found stopped by a look that began when all had been told: what one of them forked before is among what is found.
    const running = await runningIn(container);
    if (running.length === 0) return true;
    await signalAll(running, "SIGSTOP");
    await delay(PAUSE_MS);
    if (performance.now() < stuck) continue;
    // One that was stopped between vfork(2) and its program keeps its parent in the middle of that call: all go on for a moment.
    await goOn(container);
    await delay(PAUSE_MS);
    stuck = performance.now() + STUCK_MS;
  }
  await goOn(container);
  return false;
}

/** Lets it go on, whichever way it was held, also by somebody who was killed. */
export async function releaseContainer(container: RunningContainer, env: NodeJS.ProcessEnv): Promise<void> {
  if (!(await unpauseContainer(container.name, env))) await goOn(container);
}

const firstOf = ({ process: identity }: RunningContainer): number => Number(identity.split(":")[1]);

async function goOn(container: RunningContainer): Promise<void> {
  if (container.ownKernel) return;
  await signalAll(await listContainerProcesses(firstOf(container), EXEC_MARK), "SIGCONT");
}

async function runningIn(container: RunningContainer) {
  const found = await listContainerProcesses(firstOf(container), EXEC_MARK);
  const stopped = await Promise.all(found.map(({ id }) => isStopped(id)));
  return found.filter((_process, index) => !stopped[index]);
}

/** Each thread for itself: one may be in the middle of a call when the first has stopped. */
async function isStopped(id: number): Promise<boolean> {
  const threads = await readdir(`/proc/${id}/task`).catch(() => []);
  const states = await Promise.all(
    threads.map(async (thread) => {
      const stat = await readFile(`/proc/${id}/task/${thread}/stat`, "latin1").catch(() => "");
      // Behind the name, which may hold anything.
      return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "X";
    }),
  );
  return states.every((state) => "TtZX".includes(state));
}
