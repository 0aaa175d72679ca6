import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { runPodman } from "./podman.js";

/** Processes of podman in whose environment `temporary` is the folder for temporary files: a build's own, and so all of them the build's. */
export interface BuildProcesses {
  /** Podman; as an ordinary user it is two. */
  readonly podman: readonly number[];
  /** What it started to look into the image on its behalf. The image decides how long they take: it may have a FIFO for a file. */
  readonly helpers: readonly number[];
}

const HELPER = /^(?:chrootuser-|buildah-copier)/;

export async function processesOfBuild(temporary: string): Promise<BuildProcesses> {
  const podman: number[] = [];
  const helpers: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [command = ""] = (await readText(`/proc/${name}/cmdline`)).split("\0");
    const found = path.basename(command) === "podman" ? podman : HELPER.test(command) ? helpers : undefined;
    if (found === undefined) continue;
    const variables = (await readText(`/proc/${name}/environ`)).split("\0");
    if (variables.includes(`TMPDIR=${temporary}`)) found.push(Number(name));
  }
  return { podman, helpers };
}

/** Kills a process that may be a subordinate id's. */
export async function killProcess(pid: number, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    process.kill(pid, "SIGKILL");
  } catch (cause) {
    // Only the user's own namespace may end it.
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") return;
    await runPodman(["unshare", "kill", "-KILL", String(pid)], { env });
  }
}

export const readText = (file: string): Promise<string> => readFile(file, "latin1").catch(() => "");
