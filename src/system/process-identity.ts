import { readFile } from "node:fs/promises";

/** Which process this is, so that nobody takes a later one of the same number for it: `<boot>:<pid>:<start>`. */
export async function identityOf(pid: number): Promise<string | undefined> {
  const started = await startOf(pid);
  return started === undefined ? undefined : `${await bootId()}:${pid}:${started}`;
}

/** True while the process that `identity` names runs. */
export async function isAlive(identity: string): Promise<boolean> {
  const pid = Number(identity.split(":")[1]);
  return Number.isSafeInteger(pid) && pid > 0 && (await identityOf(pid)) === identity;
}

const bootId = async (): Promise<string> => (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();

/** Clock ticks since boot, field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so it is cut off first. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
