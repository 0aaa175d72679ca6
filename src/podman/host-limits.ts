import { readFile } from "node:fs/promises";
import type { HostLimits } from "./capabilities.js";

/** The hard limits of this process. Podman's own defaults are above them on some machines, and then nothing starts. */
export async function readHostLimits(): Promise<HostLimits> {
  return parseHostLimits(await readFile("/proc/self/limits", "utf8").catch(() => ""));
}

/** Reads the table of /proc/<pid>/limits, see proc(5). */
export function parseHostLimits(text: string): HostLimits {
  const hard = (title: string): number => {
    const value = new RegExp(`^${title} +\\S+ +(\\S+)`, "m").exec(text)?.[1];
    return value === "unlimited" ? 1_048_576 : Number(value ?? 1024);
  };
  return { nofile: hard("Max open files"), nproc: hard("Max processes") };
}
