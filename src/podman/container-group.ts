import { readFileSync } from "node:fs";
import path from "node:path";
import type { RunningContainer } from "./start-container.js";

const ROOT = "/sys/fs/cgroup";

/** The files of one controller that say the same in both versions of control groups. */
export interface GroupFile {
  readonly controller: string;
  readonly first: string;
  readonly second: string;
}

/**
 * Where a container's own control group says something, by /proc/<pid>/cgroup, see cgroups(7); of both versions the one that has
 * the controller. Undefined where the container has no group of its own, by the names that podman gives.
 */
export function groupFile(groups: string, { controller, first, second }: GroupFile): string | undefined {
  const own = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, "m").exec(groups)?.[1];
  if (own?.includes("/libpod-")) return path.join(ROOT, controller, own, first);
  const all = /^0::(.*)$/m.exec(groups)?.[1];
  return own === undefined && all?.includes("/libpod-") ? path.join(ROOT, all, second) : undefined;
}

/** That file of a container that runs; undefined where it has none. */
export function findGroupFile({ process: identity }: Pick<RunningContainer, "process">, wanted: GroupFile) {
  const groups = readText(`/proc/${identity.split(":")[1]}/cgroup`);
  return groups === undefined ? undefined : groupFile(groups, wanted);
}

/** What it says; undefined where the host does not say, or the container has ended. */
export function readGroupFile(container: Pick<RunningContainer, "process">, wanted: GroupFile) {
  const file = findGroupFile(container, wanted);
  return file === undefined ? undefined : readText(file);
}

// Synchronous: the kernel answers at once.
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
