import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EXEC_MARK, endExec } from "./end-exec.js";
import type { RunningContainer } from "./start-container.js";

const PAUSE_MS = 50;

/**
 * Ends all that an execution started whose caller was killed, and what its podman is still about to start. `since` are the clock ticks
 * since boot at which it was asked for. False where something could not be ended, and in a container with a kernel of its own, all of
 * which would go.
 */
export async function endAbandonedExec(
  container: RunningContainer,
  { id, since }: { readonly id: string; readonly since: number },
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  if (container.ownKernel) return false;
  const gone = new AbortController();
  const done = new AbortController();
  const watching = watchPodman(id, gone, done.signal);
  try {
    return await endExec(container, id, since, env, gone.signal);
  } finally {
    done.abort();
    await watching;
  }
}

/** Podman, or the runtime, outlives its caller until what it executes has ended. */
async function watchPodman(id: string, gone: AbortController, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    if (!(await isAtWork(id))) return gone.abort();
    await pause(PAUSE_MS, undefined, { signal: done }).catch(() => {});
  }
}

const WHO_EXECUTES: ReadonlySet<string> = new Set(["podman", "runc"]);

async function isAtWork(id: string): Promise<boolean> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(processes.map((name) => readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "")));
  return lines.some((line) => {
    const [program = "", ...args] = line.split("\0");
    return WHO_EXECUTES.has(path.basename(program)) && args.includes(`${EXEC_MARK}=${id}`);
  });
}
