import { type GroupFile, readGroupFile } from "./container-group.js";
import type { RunningContainer } from "./start-container.js";

export const OOM_FILE: GroupFile = { controller: "memory", first: "memory.oom_control", second: "memory.events" };

/** How often the kernel killed something in a container because its memory ran out; undefined where it does not say. */
export function readOomKills(container: RunningContainer): number | undefined {
  const kills = /^oom_kill (\d+)$/m.exec(readGroupFile(container, OOM_FILE) ?? "")?.[1];
  return kills === undefined ? undefined : Number(kills);
}
