import type { Stats } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { removeFolder } from "../podman/folders.js";
import { unmountVolume } from "../podman/volume.js";
import { identityOf, isAlive } from "../system/process-identity.js";

const PREFIX = "kai-sandbox.";
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

/** A folder of mode 0700 in `tempDir`, named after the process that owns it. */
export async function makeSandboxFolder(tempDir: string): Promise<string> {
  await ensureTempDir(tempDir);
  const owner = (await identityOf(process.pid)) ?? `${process.pid}`;
  return mkdtemp(path.join(tempDir, `${PREFIX}${owner.replaceAll(":", ".")}.`));
}

/** The volume inside is unmounted, the folder renamed, then deleted. */
export async function removeSandboxFolder(folder: string, host: SandboxHost): Promise<void> {
  await unmountVolume(volumeOf(folder), host.env);
  await removeFolder(folder, host.rootless, host.env);
}

/** Where the file system of limited size is mounted. */
export const volumeOf = (folder: string): string => path.join(folder, "volume");

/** Removes the folders of processes that died; call it after their containers are gone. */
export async function sweepSandboxFolders(tempDir: string, host: SandboxHost): Promise<void> {
  for (const name of await readdir(tempDir).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const [boot, pid, start] = name.slice(PREFIX.length).split(".");
    if (await isAlive(`${boot}:${pid}:${start}`)) continue;
    // Two sweepers may meet; whoever renames first does the work.
    await removeSandboxFolder(path.join(tempDir, name), host).catch(() => {});
  }
}

function requireMountable(tempDir: string): void {
  if (!/[:,\n]/.test(tempDir)) return;
  throw new KaiError("E103", `temp_dir must hold no colon, comma or newline: ${tempDir}`, {
    hint: "Podman separates its arguments by them; choose another snapshot_isolation.temp_dir.",
  });
}

async function ensureTempDir(tempDir: string): Promise<void> {
  requireMountable(tempDir);
  await mkdir(tempDir, { recursive: true, mode: 0o700 });
  const stat = await lstat(tempDir);
  if (stat.isDirectory() && isOurs(stat)) return;
  throw new KaiError("E103", `temp_dir is not a folder of yours: ${tempDir}`, {
    hint: "Somebody else could change what runs there; choose another snapshot_isolation.temp_dir.",
  });
}
