import { readFileSync } from "node:fs";

/** Which process this is, so that nobody takes a later one of the same number for it: `<boot>:<pid>:<start>`. */
export function identityOf(pid: number): string | undefined {
  const started = startOf(pid);
  return started === undefined ? undefined : `${bootId()}:${pid}:${started}`;
}

/** This very process; empty where the machine does not tell. */
export const ownIdentity = (): string => identityOf(process.pid) ?? "";

/** True while the process that `identity` names runs. */
export function isAlive(identity: string): boolean {
  const pid = Number(identity.split(":")[1]);
  return Number.isSafeInteger(pid) && pid > 0 && identityOf(pid) === identity;
}

let boot: string | undefined;

/** The same for as long as this process runs. */
const bootId = (): string => {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
};

/** Clock ticks since boot, field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so it is cut off first. */
function startOf(pid: number): string | undefined {
  try {
    // Synchronous: the kernel answers at once, and the way through the thread pool takes a hundred times as long.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 20);
    // What has ended and waits for its parent does nothing more.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
