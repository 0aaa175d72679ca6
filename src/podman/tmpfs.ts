import { chmod, mkdir, readdir, readlink } from "node:fs/promises";
import { KaiError } from "../error.js";
import { hostTool } from "./host-tool.js";
import { unmount } from "./mount-overlay.js";
import { isMounted } from "./volume.js";

/** Bytes that a file takes at least, itself counted: more files than this allows do not fit. */
const SMALLEST_FILE = 4096;
const FEWEST_FILES = 1024;

/**
 * Makes `folder` a file system in memory that holds `bytes` and no more. Rootless it is mounted where podman sees it, and
 * this process only by another path: gives the one to use, as `seenHere` does later. All is gone after a restart of the machine.
 * Throws E103 where it cannot be had.
 */
export async function mountTmpfs(
  folder: string,
  bytes: number,
  rootless: boolean,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  await mkdir(folder);
  await chmod(folder, 0o700);
  const files = Math.max(FEWEST_FILES, Math.floor(bytes / SMALLEST_FILE));
  const options = `nosuid,nodev,mode=700,size=${bytes},nr_inodes=${files}`;
  await hostTool(asPodman(["mount", "-t", "tmpfs", "-o", options, "kai", folder], rootless), env);
  const seen = await seenHere(folder, rootless, env);
  if (seen !== undefined) return seen;
  throw new KaiError("E103", "A file system in memory could not be mounted for the sandbox.", {
    hint: "Set snapshot_isolation.filesystem to overlay; `git kai-version doctor` shows what is missing.",
  });
}

/** The path by which this process sees the file system that is mounted at `folder`; undefined where none is. */
export async function seenHere(folder: string, rootless: boolean, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const seen = rootless ? await throughPodman(folder, env) : folder;
  return seen !== undefined && (await isMounted(seen).catch(() => false)) ? seen : undefined;
}

/** Takes it away with all that is in it; no error where none is mounted. */
export async function unmountTmpfs(folder: string, rootless: boolean, env: NodeJS.ProcessEnv): Promise<void> {
  if (!rootless) return unmount([folder], env);
  await hostTool(asPodman(["umount", "--quiet", "--lazy", folder], rootless), env).catch(() => {});
}

type Command = readonly [string, ...string[]];

const asPodman = (command: Command, rootless: boolean): Command =>
  rootless ? ["podman", "--remote=false", "unshare", ...command] : command;

/** Podman keeps a process in the mount namespace that it has for the user, and the kernel shows that one's files. */
async function throughPodman(folder: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const namespace = (await hostTool(asPodman(["readlink", "/proc/self/ns/mnt"], true), env)).trim();
  for (const id of await readdir("/proc")) {
    const found = await readlink(`/proc/${id}/ns/mnt`).catch(() => undefined);
    if (found === namespace) return `/proc/${id}/root${folder}`;
  }
  return undefined;
}
