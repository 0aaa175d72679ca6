import { readFile } from "node:fs/promises";
import path from "node:path";
import type { RunningContainer } from "./start-container.js";

const ROOT = "/sys/fs/cgroup";

/** How often the kernel killed something in a container because its memory ran out; undefined where it does not say. */
export async function readOomKills({ process: identity }: RunningContainer): Promise<number | undefined> {
  const groups = await readFile(`/proc/${identity.split(":")[1]}/cgroup`, "utf8").catch(() => "");
  const file = oomFile(groups);
  const text = file === undefined ? "" : await readFile(file, "utf8").catch(() => "");
  const kills = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return kills === undefined ? undefined : Number(kills);
}

/**
 * The file that counts, by /proc/<pid>/cgroup, see cgroups(7); of both versions the one that limits memory. Undefined where
 * the container has no group of its own, by the names that podman gives.
 */
export function oomFile(groups: string): string | undefined {
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  if (first?.includes("/libpod-")) return path.join(ROOT, "memory", first, "memory.oom_control");
  const second = /^0::(.*)$/m.exec(groups)?.[1];
  return first === undefined && second?.includes("/libpod-") ? path.join(ROOT, second, "memory.events") : undefined;
}
