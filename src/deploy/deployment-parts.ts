import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { syncFolder } from "../system/durable-file.js";
import { endMarked } from "../system/marked-processes.js";
import { openFolders } from "../system/open-folders.js";
import { findStat } from "../system/path-bytes.js";
import { isAlive, ownIdentity } from "../system/process-identity.js";

const PART = ".part-";

/**
 * Makes an empty folder in which a deployment is written before it is renamed into `versions`: in the git folder, where
 * `recover` removes what is left of it. Beside the deployments where that is another file system, and with null for `staging`:
 * for what is installed, which may make folders that `recover` could not empty.
 */
export async function makePart(versions: string, staging: string | null, operation: string): Promise<string> {
  if (staging !== null) {
    const hidden = path.join(staging, `deploy-${operation}`);
    await mkdir(hidden);
    if (await canRename(hidden, versions)) return hidden;
    await rmdir(hidden);
  }
  const owner = ownIdentity().replaceAll(":", ".");
  const beside = path.join(versions, `${PART}${owner}.${operation}`);
  await mkdir(beside);
  return beside;
}

/** Whether a folder could be renamed into another one: not between file systems, or two mounts of one. */
async function canRename(folder: string, into: string): Promise<boolean> {
  const [here, there] = await Promise.all([stat(folder), stat(into)]);
  if (here.dev !== there.dev) return false;
  // The system looks at the mounts before it refuses the name (rename(2): EXDEV, EBUSY).
  return rename(folder, `${into}/.`).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "EXDEV",
  );
}

/** Removes what processes that died were writing or removing there. */
export async function sweepParts(versions: string): Promise<void> {
  for (const name of await readdir(versions)) {
    if (!name.startsWith(PART)) continue;
    const [boot, pid, start] = name.slice(PART.length).split(".");
    if (isAlive(`${boot}:${pid}:${start}`)) continue;
    const part = path.join(versions, name);
    // What was installing there lives on when whoever started it is killed.
    await endMarked(part, 0);
    await removePart(part);
  }
}

/** Removes a deployment: renamed first, so that no half of one is ever taken for whole. */
export async function removeDeployment(folder: string, staging: string, operation: string): Promise<void> {
  const versions = path.dirname(folder);
  const part = await makePart(versions, staging, `${operation}-${path.basename(folder)}`);
  await openFolders(folder);
  await rename(folder, path.join(part, "files"));
  await syncFolder(versions);
  await removePart(part);
}

/** Removes a folder that was made here, whatever was installed in it. */
export async function removePart(part: string): Promise<void> {
  if (!(await findStat(part))) return;
  await openFolders(part);
  await rm(part, { recursive: true, force: true });
}
