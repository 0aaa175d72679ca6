import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import { removeFolder } from "../../podman/folders.js";
import { unmountTmpfs } from "../../podman/tmpfs.js";
import { unmountVolume } from "../../podman/volume.js";
import { makeFolder } from "../../system/durable-file.js";
import { type FolderOrigin, findOrigin, ORIGIN } from "./folder-origin.js";
import { SANDBOX_PREFIX } from "./sandbox-names.js";

const STICKY = 0o1000;

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

/** Whether a folder of that name is a sandbox's. */
export const isSandboxFolder = (name: string): boolean => name.startsWith(SANDBOX_PREFIX);

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
    const origin = isSandboxFolder(name) ? await findOrigin(folder) : undefined;
    if (origin) origins.set(folder, origin);
  }
  return origins;
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
