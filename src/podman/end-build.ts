import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { killProcess, processesOfBuild, readText } from "./build-processes.js";
import { removeWorkingContainer } from "./working-container.js";

/** Podman's folders in its TMPDIR, one for each command of a build that runs: `buildah` and a number. */
const BUNDLE = /^buildah\d+$/;

const PAUSE_MS = 100;
const PATIENCE_MS = 5000;

/** Podman's folders for builds that run below the `folder` of one: see `buildImage`. */
export const temporaryOf = (folder: string): string => path.join(folder, "tmp");

/**
 * Kills what runs in the build that has its files in `folder`: the first process of a container, and with it all others. Podman,
 * told to end, would leave it. The number may be another one's by now, so that must have files of this build in its mounts. Also
 * what podman itself started that may wait for what is in the image.
 */
export async function endBuild(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const temporary = temporaryOf(folder);
  for (const name of await bundlesIn(temporary)) {
    const pid = Number(await readText(path.join(temporary, name, "pid")));
    if (!(pid > 1) || !(await readText(`/proc/${pid}/mountinfo`)).includes(`/${name}/`)) continue;
    await killProcess(pid, env);
  }
  for (const pid of (await processesOfBuild(temporary)).helpers) await killProcess(pid, env);
}

/** Kills podman itself where that did not let it end; what it leaves is `removeWorkingContainer`'s. */
export async function killBuild(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { podman, helpers } = await processesOfBuild(temporaryOf(folder));
  for (const pid of [...podman, ...helpers]) await killProcess(pid, env);
}

/** The same where nobody waits for podman any more: it is given a moment to take back what it has made. */
export async function endForsakenBuild(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const temporary = temporaryOf(folder);
  if ((await stat(temporary).catch(() => undefined)) === undefined) return;
  for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    if ((await processesOfBuild(temporary)).podman.length === 0) break;
    await endBuild(folder, env);
    await delay(PAUSE_MS);
  }
  await endBuild(folder, env);
  await killBuild(folder, env);
  await removeWorkingContainer(folder, env);
}

const bundlesIn = async (temporary: string): Promise<string[]> =>
  (await readdir(temporary).catch(() => [])).filter((name) => BUNDLE.test(name));
