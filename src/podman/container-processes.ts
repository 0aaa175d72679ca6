import { readdir, readFile, readlink } from "node:fs/promises";

/** A process in a container, as the host sees it. */
export interface ContainerProcess {
  id: number;
  parent: number;
  session: number;
  /** Clock ticks since boot: with the number, which process this is. */
  started: number;
  stopped: boolean;
  /** The execution that its environment names. */
  mark: string | undefined;
}

/**
 * What runs in the container whose first process is `first`: all that share its mount namespace, which is always its own,
 * or its process namespace. Not the first process, and nothing that has ended.
 */
export async function listContainerProcesses(first: number, markName: string): Promise<ContainerProcess[]> {
  const [own, ours] = await Promise.all([namespacesOf(first), namespacesOf(process.pid)]);
  if (own === undefined || ours === undefined) return [];
  const inside = (of: ProcessNamespaces | undefined): boolean =>
    of !== undefined && (of.mount === own.mount || (of.pid === own.pid && own.pid !== ours.pid));
  const names = await readdir("/proc");
  const ids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    ids.map(async (id) => (id !== first && inside(await namespacesOf(id)) ? readProcess(id, markName) : undefined)),
  );
  return found.filter((each) => each !== undefined);
}

interface ProcessNamespaces {
  mount: string;
  pid: string;
}

async function namespacesOf(id: number): Promise<ProcessNamespaces | undefined> {
  try {
    const [mount, pid] = await Promise.all([readlink(`/proc/${id}/ns/mnt`), readlink(`/proc/${id}/ns/pid`)]);
    return { mount, pid };
  } catch {
    // Gone, or another user's.
    return undefined;
  }
}

/** Reads /proc/<id>/stat, see proc(5); undefined for what is gone, or ends and waits for its parent only. */
export async function readProcess(id: number, markName: string): Promise<ContainerProcess | undefined> {
  const [stat, environment] = await Promise.all([
    readFile(`/proc/${id}/stat`, "latin1").catch(() => ""),
    readFile(`/proc/${id}/environ`, "latin1").catch(() => ""),
  ]);
  // The name may hold anything, also brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent, , session] = fields;
  const started = fields[19];
  if (started === undefined || "ZX".includes(state)) return undefined;
  const mark = environment.split("\0").find((each) => each.startsWith(`${markName}=`));
  return {
    id,
    parent: Number(parent),
    session: Number(session),
    started: Number(started),
    stopped: state === "T",
    mark: mark?.slice(markName.length + 1),
  };
}
