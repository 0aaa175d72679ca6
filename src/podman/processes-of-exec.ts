import type { ContainerProcess } from "./container-processes.js";

export interface ExecProcesses {
  /** Those that belong to the execution. */
  found: ContainerProcess[];
  /** Whether there are some of which it is too early to tell. */
  doubtful: boolean;
}

/** An execution that has just begun has no mark yet; ticks of a hundredth of a second. */
const YOUNG = 500;

/**
 * Which processes of a container belong to execution `id`: those of its mark, their descendants and sessions. A process can
 * throw its mark away and hide from its parent; what then belongs to nobody and began at `since` (clock ticks since boot)
 * or later counts too, unless it may be another execution that is about to start. Which execution a parent belongs to goes
 * before what its child's environment says.
 */
export function processesOfExec(
  processes: readonly ContainerProcess[],
  { first, id, since, now }: { first: number; id: string; since: number; now: number },
): ExecProcesses {
  const byId = new Map(processes.map((each) => [each.id, each]));
  const ownerOf = findOwners(processes, byId, first);
  const found: ContainerProcess[] = [];
  let doubtful = false;
  for (const each of processes) {
    const owner = ownerOf(each);
    if (owner === id) found.push(each);
    if (owner !== undefined || each.started < since) continue;
    // The runtime starts it from outside the container.
    if (each.parent !== first && !byId.has(each.parent) && now - each.started < YOUNG) doubtful = true;
    else found.push(each);
  }
  return { found, doubtful };
}

function findOwners(
  processes: readonly ContainerProcess[],
  byId: ReadonlyMap<number, ContainerProcess>,
  first: number,
): (each: ContainerProcess) => string | undefined {
  const owners = new Map<number, string | undefined>();
  const byDescent = (each: ContainerProcess): string | undefined => {
    if (owners.has(each.id)) return owners.get(each.id);
    // A parent that was read earlier than its child may be another process by now.
    owners.set(each.id, each.mark);
    const parent = each.parent === first ? undefined : byId.get(each.parent);
    const owner = (parent && byDescent(parent)) ?? each.mark;
    owners.set(each.id, owner);
    return owner;
  };
  const bySession = new Map<number, string>();
  for (const each of processes) {
    const owner = byDescent(each);
    if (owner !== undefined && !bySession.has(each.session)) bySession.set(each.session, owner);
  }
  return (each) => byDescent(each) ?? bySession.get(each.session);
}
