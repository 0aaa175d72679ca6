import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { endForsakenBuild } from "../../podman/end-build.js";
import { proberOf } from "../../podman/probe-sandbox.js";
import { identityOf, isAlive } from "../../system/process-identity.js";
import { isThere } from "../repository-place.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import { findOrigin, isPrivate } from "./folder-origin.js";
import { isSandboxFolder, listOrigins, removeSandboxFolder, type SandboxHost } from "./sandbox-folder.js";
import { changedFolder, layersIn } from "./sandbox-layers.js";

/** What `removeFolder` puts behind the name. */
const GONE = ".gone";

/**
 * Removes folders whose record is gone: those of throw-away sandboxes whose process died, and kept ones when their time is over. One
 * in which something was changed stays, because its repository may only have been moved, or be on a disk that is not mounted. Also
 * those in which this machine was looked at. Gives their names.
 */
export async function sweepSandboxFolders(tempDir: string, host: SandboxHost, now: Date): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await listForsaken(tempDir, now)) {
    const folder = path.join(tempDir, name);
    // Of a build whose caller was killed.
    await endForsakenBuild(folder, host.env);
    // Two sweepers may meet; whoever renames first does the work.
    await removeSandboxFolder(folder, host).then(
      () => swept.push(name),
      () => {},
    );
  }
  return swept;
}

/** Names of the folders that `sweepSandboxFolders` would remove. */
export async function listForsaken(tempDir: string, now: Date): Promise<string[]> {
  const names = await readdir(tempDir).catch(() => []);
  const forsaken = await Promise.all(
    names.map(async (name) => {
      const folder = path.join(tempDir, name);
      if (isSandboxFolder(name)) return (await fateOf(folder, now)) === "forsaken";
      // What others wrote there would be unmounted and deleted with our rights.
      return wasProbedIn(name) && (await isPrivate(folder));
    }),
  );
  return names.filter((_name, index) => forsaken[index]);
}

/** The snapshots, as they were made, that would be forsaken, but something was changed in them, and whose they are is not there. */
export async function listUnclaimed(tempDir: string, now: Date): Promise<SnapshotRecord[]> {
  const unclaimed: SnapshotRecord[] = [];
  for (const [folder, { snapshot }] of await listOrigins(tempDir)) {
    if (snapshot && (await fateOf(folder, now)) === "unclaimed") unclaimed.push({ ...snapshot, folder });
  }
  return unclaimed;
}

/** Whether it is of a look at this machine that somebody was killed in. */
function wasProbedIn(name: string): boolean {
  const prober = proberOf(name);
  return prober !== undefined && identityOf(prober) === undefined;
}

async function fateOf(folder: string, now: Date): Promise<"somebody's" | "unclaimed" | "forsaken"> {
  const origin = await findOrigin(folder);
  const isGoing = folder.endsWith(GONE);
  // One that is being removed has another name already, and one without a word of its origin is a moment old.
  if (origin === undefined) return isGoing && (await isPrivate(folder)) ? "forsaken" : "somebody's";
  const { record, owner, throwAway, expiresAt, snapshot } = origin;
  if (isAlive(owner)) return "somebody's";
  if (record !== null && (await lstat(record).catch(() => undefined)) !== undefined) return "somebody's";
  // Whoever was killed over its removal had decided that nothing in it is wanted.
  if (isGoing) return "forsaken";
  if (!throwAway && Date.parse(expiresAt) >= now.getTime()) return "somebody's";
  if (snapshot?.repository === undefined) return "forsaken";
  // That repository gives it its record again, and keeps what was changed.
  if (snapshot.folder === folder && isThere(snapshot.repository)) return "somebody's";
  return (await isUntouched(folder, snapshot)) ? "forsaken" : "unclaimed";
}

/** Whether nothing was changed in it; false also where that cannot be told, as of a copy, and of a file system that is not mounted. */
async function isUntouched(folder: string, { settings }: SnapshotRecord): Promise<boolean> {
  const layers = layersIn(folder, settings);
  const [changed, volume] = await Promise.all(
    [changedFolder(layers), path.dirname(changedFolder(layers))].map((each) =>
      readdir(each).catch(({ code }: NodeJS.ErrnoException) => (code === "ENOENT" ? "missing" : "unread")),
    ),
  );
  return volume === "missing" || (layers.kind === "overlay" && Array.isArray(changed) && changed.length === 0);
}
