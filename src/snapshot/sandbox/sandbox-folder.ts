import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import { endForsakenBuild } from "../../podman/end-build.js";
import { removeFolder } from "../../podman/folders.js";
import { proberOf } from "../../podman/probe-sandbox.js";
import { unmountTmpfs } from "../../podman/tmpfs.js";
import { unmountVolume } from "../../podman/volume.js";
import { makeFolder } from "../../system/durable-file.js";
import { identityOf, isAlive } from "../../system/process-identity.js";
import { type FolderOrigin, findOriginIn } from "./folder-origin.js";
import { SANDBOX_PREFIX } from "./sandbox-names.js";

const ORIGIN = "origin.json";
/** What `removeFolder` puts behind the name. */
const GONE = ".gone";
const STICKY = 0o1000;
const OTHERS = 0o077;

export interface SandboxHost {
  rootless: boolean;
  env: NodeJS.ProcessEnv;
}

/**
 * `tempDir`; where that is another user's, the folder of the caller's own beside it, `/tmp/kai_snapshots-1001` say. E103
 * where Podman could not mount what is in it.
 */
export async function ownTempDir(tempDir: string): Promise<string> {
  requireMountable(tempDir);
  const stat = await lstat(tempDir).catch(() => undefined);
  return stat === undefined || isOurs(stat) ? tempDir : `${tempDir}-${process.getuid?.()}`;
}

/** A folder that nobody but the caller and root can take out of the way: whoever owns a sticky one still can. */
const isOurs = ({ uid, mode }: Pick<Stats, "uid" | "mode">): boolean =>
  uid === process.getuid?.() || (uid === 0 && (mode & STICKY) !== 0);

/** Makes a sandbox's folder, of mode 0700, in a `temp_dir` that is the caller's own or root's. */
export async function makeSandboxFolder(folder: string, origin: FolderOrigin): Promise<void> {
  await ensureTempDir(path.dirname(folder));
  await mkdir(folder, { mode: 0o700 });
  await writeFile(path.join(folder, ORIGIN), JSON.stringify(origin));
}

/** The volume inside is unmounted, the folder renamed, then deleted. */
export async function removeSandboxFolder(folder: string, host: SandboxHost): Promise<void> {
  // Somebody else may be taking it away, too.
  if ((await lstat(folder).catch(() => undefined)) === undefined) return;
  if (host.rootless) await unmountTmpfs(volumeOf(folder), true, host.env);
  await unmountVolume(volumeOf(folder), host.env);
  await removeFolder(folder, host.rootless, host.env);
}

/** Where the file system of limited size is mounted. */
export const volumeOf = (folder: string): string => path.join(folder, "volume");

/** Where a container's first process tells its number. */
export const pidFileIn = (folder: string): string => path.join(folder, "pid");

/**
 * Removes folders whose record is gone: those of throw-away sandboxes whose process died, and kept ones when their time is over,
 * because a repository may only have been moved. Also those in which this machine was looked at. Gives their names.
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
      const isSandbox = name.startsWith(SANDBOX_PREFIX);
      // What others wrote there would be unmounted and deleted with our rights.
      if (!(isSandbox || (await wasProbedIn(name))) || !(await isPrivate(folder))) return false;
      return !isSandbox || isForsaken(folder, now);
    }),
  );
  return names.filter((_name, index) => forsaken[index]);
}

/** Whether it is of a look at this machine that somebody was killed in. */
async function wasProbedIn(name: string): Promise<boolean> {
  const prober = proberOf(name);
  return prober !== undefined && (await identityOf(prober)) === undefined;
}

async function isForsaken(folder: string, now: Date): Promise<boolean> {
  const origin = await findOrigin(folder);
  // One that is being removed has another name already, and one without a word of its origin is a moment old.
  if (origin === undefined) return folder.endsWith(GONE);
  const { record, owner, throwAway, expiresAt } = origin;
  if (await isAlive(owner)) return false;
  if (record !== null && (await lstat(record).catch(() => undefined)) !== undefined) return false;
  return throwAway || Date.parse(expiresAt) < now.getTime();
}

const findOrigin = (folder: string): Promise<FolderOrigin | undefined> => findOriginIn(path.join(folder, ORIGIN));

/** Whether a folder says that it is that snapshot's, or whoever made it was killed before it said anything; true where none is there. */
export async function isFolderOf(folder: string, id: string): Promise<boolean> {
  const origin = await findOrigin(folder);
  if (origin !== undefined) return origin.record !== null && path.basename(origin.record) === id;
  const stat = await lstat(folder).catch(() => undefined);
  if (stat === undefined) return true;
  // A power cut leaves the file empty, whatever was made after it.
  const said = await lstat(path.join(folder, ORIGIN)).catch(() => undefined);
  return stat.isDirectory() && (said ? said.isFile() && said.size === 0 : (await readdir(folder)).length === 0);
}

/**
 * What the folders of sandboxes in `tempDir` say of themselves, by their paths: only those that are the caller's and nobody else can
 * write to, because others may make some in a sticky `tempDir`.
 */
export async function listOrigins(tempDir: string): Promise<Map<string, FolderOrigin>> {
  const origins = new Map<string, FolderOrigin>();
  for (const name of await readdir(tempDir).catch(() => [])) {
    const folder = path.join(tempDir, name);
    const origin = name.startsWith(SANDBOX_PREFIX) && (await isPrivate(folder)) ? await findOrigin(folder) : undefined;
    if (origin) origins.set(folder, origin);
  }
  return origins;
}

async function isPrivate(folder: string): Promise<boolean> {
  const stat = await lstat(folder).catch(() => undefined);
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & OTHERS) === 0;
}

function requireMountable(tempDir: string): void {
  if (!/[:,\n]/.test(tempDir)) return;
  throw new KaiError("E103", `temp_dir must hold no colon, comma or newline: ${tempDir}`, {
    hint: "Podman separates its arguments by them; choose another snapshot_isolation.temp_dir.",
  });
}

async function ensureTempDir(tempDir: string): Promise<void> {
  requireMountable(tempDir);
  await makeFolder(tempDir);
  const stat = await lstat(tempDir);
  if (stat.isDirectory() && isOurs(stat)) return;
  throw new KaiError("E103", `temp_dir is not a folder of yours: ${tempDir}`, {
    hint: "Somebody else could change what runs there; choose another snapshot_isolation.temp_dir.",
  });
}
