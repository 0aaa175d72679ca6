import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runPodman } from "./podman.js";

/** Podman's folders in its TMPDIR, one for each command of a build that runs: `buildah` and a number. */
const BUNDLE = /^buildah\d+$/;

const PAUSE_MS = 100;
const PATIENCE_MS = 5000;

/** Podman's folders for builds that run below the `folder` of one: see `buildImage`. */
export const temporaryOf = (folder: string): string => path.join(folder, "tmp");

/**
 * Kills what runs in the build that has its files in `folder`, and tells whether something did: the first process of a container,
 * and with it all others. Podman, told to end, would leave it. The number may be another one's by now, so that must have files of
 * this build in its mounts.
 */
export async function endBuild(folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const temporary = temporaryOf(folder);
  let ran = false;
  for (const name of await bundlesIn(temporary)) {
    const pid = Number(await readText(path.join(temporary, name, "pid")));
    if (!(pid > 1) || !(await readText(`/proc/${pid}/mountinfo`)).includes(`/${name}/`)) continue;
    ran = true;
    await killProcess(pid, env);
  }
  return ran;
}

/** The same where nobody waits for podman any more: it is given a moment to take back what it has made. */
export async function endForsakenBuild(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!(await endBuild(folder, env))) return;
  for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    if ((await bundlesIn(temporaryOf(folder))).length === 0) return;
    await delay(PAUSE_MS);
    await endBuild(folder, env);
  }
}

const bundlesIn = async (temporary: string): Promise<string[]> =>
  (await readdir(temporary).catch(() => [])).filter((name) => BUNDLE.test(name));

async function killProcess(pid: number, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    process.kill(pid, "SIGKILL");
  } catch (cause) {
    // A subordinate id's, which only the user's own namespace may end.
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") return;
    await runPodman(["unshare", "kill", "-KILL", String(pid)], { env });
  }
}

const readText = (file: string): Promise<string> => readFile(file, "latin1").catch(() => "");
