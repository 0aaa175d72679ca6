import { setTimeout as pause } from "node:timers/promises";
import { type ContainerProcess, listContainerProcesses, readProcess } from "./container-processes.js";
import { EXEC_MARK } from "./end-exec.js";
import type { RunningContainer } from "./start-container.js";

/** How exactly the end is seen: to so many milliseconds, and of what lasts longer to a part of that. */
const FINEST_MS = 2;
const COARSEST_MS = 50;
const PART = 0.02;

export interface WatchedExec {
  readonly id: string;
  /** Clock ticks since boot at which podman was asked for it. */
  readonly since: number;
}

/**
 * When an execution that has begun ended, by `performance.now`: podman needs a while to tell. Where that cannot be seen it is
 * when podman told, by `told`.
 */
export async function seeEnd(
  { process: identity, ownKernel }: RunningContainer,
  { id, since }: WatchedExec,
  told: AbortSignal,
): Promise<number> {
  const begun = performance.now();
  const asked = { first: Number(identity.split(":")[1]), id, since };
  const leader = ownKernel ? undefined : leaderOf(await listContainerProcesses(asked.first, EXEC_MARK), asked);
  const isThere = async () =>
    ownKernel || (leader !== undefined && (await readProcess(leader.id, EXEC_MARK))?.started === leader.started);
  for (;;) {
    if (!(await isThere()) || told.aborted) return performance.now();
    const wait = Math.min(COARSEST_MS, Math.max(FINEST_MS, (performance.now() - begun) * PART));
    await pause(wait, undefined, { signal: told }).catch(() => {});
  }
}

/** The first process of an execution: podman's monitor started it, from outside. It may have thrown its mark away. */
export function leaderOf(
  processes: readonly ContainerProcess[],
  { first, id, since }: WatchedExec & { readonly first: number },
): ContainerProcess | undefined {
  const inside = new Set([first, ...processes.map((each) => each.id)]);
  const begun = processes
    .filter(({ parent, started }) => !inside.has(parent) && started >= since)
    .sort((a, b) => a.started - b.started || a.id - b.id);
  return begun.find(({ mark }) => mark === id) ?? begun.find(({ mark }) => mark === undefined);
}
