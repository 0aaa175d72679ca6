import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { readStorage } from "./image-storage.js";
import { runPodman } from "./podman.js";

/**
 * Removes what a podman that was killed leaves of the build that has its files in `folder`: a container of its own, of which podman
 * keeps with what options it is built, and so with whose file of system calls.
 */
export async function removeWorkingContainer(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const storage = await readStorage(env);
  if (storage === undefined) return;
  const all = path.join(storage.root, `${storage.driver}-containers`);
  for (const id of await readdir(all).catch(() => [])) {
    const state = await readFile(path.join(all, id, "userdata", "buildah.json"), "utf8").catch(() => undefined);
    if (state === undefined || !seccompProfileOf(state).startsWith(`${folder}/`)) continue;
    await runPodman(["rm", "--force", "--ignore", id], { env });
  }
}

/** Another build may be writing it. */
function seccompProfileOf(state: string): string {
  try {
    const { CommonBuildOpts: options } = JSON.parse(state) as { CommonBuildOpts?: { SeccompProfilePath?: unknown } };
    return String(options?.SeccompProfilePath ?? "");
  } catch {
    return "";
  }
}
