import { readlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type GroupFile, readGroupFile } from "./container-group.js";
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
  const leader = ownKernel ? undefined : leaderOf(await processesIn(asked.first), asked);
  const isThere = async () =>
    ownKernel || (leader !== undefined && (await readProcess(leader.id, EXEC_MARK))?.started === leader.started);
  for (;;) {
    if (!(await isThere()) || told.aborted) return performance.now();
    const wait = Math.min(COARSEST_MS, Math.max(FINEST_MS, (performance.now() - begun) * PART));
    await pause(wait, undefined, { signal: told }).catch(() => {});
  }
}

const PROCESSES: GroupFile = { controller: "pids", first: "cgroup.procs", second: "cgroup.procs" };

/** Its control group lists them at once; where it has none, all of the machine are looked at. */
async function processesIn(first: number): Promise<ContainerProcess[]> {
  const listed = readGroupFile({ process: `:${first}` }, PROCESSES);
  if (listed === undefined) return listContainerProcesses(first, EXEC_MARK);
  const others = listed.split("\n").filter((id) => id !== "" && Number(id) !== first);
  const found = await Promise.all(others.map((id) => readProcess(Number(id), EXEC_MARK)));
  return found.filter((each) => each !== undefined);
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

/** Whether the first process of an execution is seen to live; without process ids of its own a container may have it look so. */
export async function isThere(
  { process: identity, ownKernel }: RunningContainer,
  { id, since }: WatchedExec,
): Promise<boolean> {
  const first = Number(identity.split(":")[1]);
  const [theirs, ours] = [first, "self"].map((of) => readlink(`/proc/${of}/ns/pid`).catch(() => undefined));
  if (ownKernel || (await theirs) === (await ours)) return false;
  return leaderOf(await listContainerProcesses(first, EXEC_MARK), { first, id, since })?.mark === id;
}
