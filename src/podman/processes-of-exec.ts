import type { ContainerProcess } from "./container-processes.js";

/**
 * Which processes of a container belong to execution `id`: those of its mark, their descendants and sessions. A process can
 * throw its mark away and hide from its parent; what then belongs to nobody and began at `since` (clock ticks since boot)
 * or later counts too. Which execution a parent belongs to goes before what its child's environment says.
 */
export function processesOfExec(
  processes: readonly ContainerProcess[],
  first: number,
  id: string,
  since: number,
): ContainerProcess[] {
  const byId = new Map(processes.map((each) => [each.id, each]));
  const owners = new Map<number, string | undefined>();
  const ownerOf = (each: ContainerProcess): string | undefined => {
    if (owners.has(each.id)) return owners.get(each.id);
    // A parent that was read earlier than its child may be another process by now.
    owners.set(each.id, each.mark);
    const parent = each.parent === first ? undefined : byId.get(each.parent);
    const owner = (parent && ownerOf(parent)) ?? each.mark;
    owners.set(each.id, owner);
    return owner;
  };
  const bySession = new Map<number, string>();
  for (const each of processes) {
    const owner = ownerOf(each);
    if (owner !== undefined && !bySession.has(each.session)) bySession.set(each.session, owner);
  }
  return processes.filter((each) => {
    const owner = ownerOf(each) ?? bySession.get(each.session);
    return owner === undefined ? each.started >= since : owner === id;
  });
}
