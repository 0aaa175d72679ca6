import { access, chmod, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";
import { hostTool } from "./host-tool.js";
import { mergedIn, unmount } from "./mount-overlay.js";
import { podmanEnvironment } from "./podman.js";
import { makeVolumeImage } from "./volume-image.js";

/** Whether a folder of limited size can be had: a file system in a file, on a loop device, which takes root. */
export async function hasQuota(rootless: boolean, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (rootless) return false;
  const found = await Promise.all([
    access("/dev/loop-control").then(
      () => true,
      () => false,
    ),
    ...["mkfs.ext4", "mount", "umount"].map((file) =>
      runProcess({ file, args: [file === "mkfs.ext4" ? "-V" : "--version"], env: podmanEnvironment(env) }).then(
        ({ exitCode }) => exitCode === 0,
        () => false,
      ),
    ),
  ]);
  return found.every((each) => each);
}

/**
 * Makes `folder` a file system of its own that holds `bytes` and no more, without setuid and devices. Its image is beside
 * it; a template of that is kept in `cacheDir`. Throws E103 where loop devices cannot be had.
 */
export async function mountVolume(
  folder: string,
  bytes: number,
  env: NodeJS.ProcessEnv,
  cacheDir: string,
): Promise<void> {
  await explained("made", "`resource_limits.storage` (--storage) is how large it is.", async () => {
    await makeVolumeImage(imageOf(folder), bytes, { env, cacheDir });
    await mkdir(folder);
    await mountImage(folder, env);
    await chmod(folder, 0o700);
  });
}

/** Mounts the image of `folder` again, after a restart of the machine; nothing where it is mounted, or has none. E103 where it cannot be. */
export async function remountVolume(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const image = imageOf(folder);
  if (!(await isFile(image)) || (await isMounted(folder))) return;
  await explained("mounted again", DAMAGED, async () => {
    // Without a journal, what a crash left half done is put in order only here.
    const { exitCode, stdout } = await runProcess({
      file: "e2fsck",
      args: ["-p", image],
      env: podmanEnvironment(env),
    });
    if ((exitCode ?? UNCORRECTED) >= UNCORRECTED) throw new KaiError("E103", `e2fsck: ${stdout.toString().trim()}`);
    await mountImage(folder, env);
  });
}

/** Takes the file system away again, with overlays that are mounted in it; no error where none is mounted. */
export async function unmountVolume(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await unmount([...mergedIn(folder), folder], env);
}

/** Whether something is mounted there. */
export async function isMounted(folder: string): Promise<boolean> {
  const [own, around] = await Promise.all([stat(folder), stat(path.dirname(folder))]);
  return own.dev !== around.dev;
}

/**
 * Whether something that was written to it did not reach the disk that its image lies on, which nobody who wrote it was told. False
 * where it is no file system of its own. The kernel says so once.
 */
export async function hasLostWrites(folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (!(await isMounted(folder).catch(() => false))) return false;
  const own = { PATH: env["PATH"], LC_ALL: "C" };
  return (await runProcess({ file: "sync", args: ["--file-system", folder], env: own })).exitCode !== 0;
}

const imageOf = (folder: string): string => `${folder}.ext4`;

/** The lowest exit status of e2fsck that says that errors are left. */
const UNCORRECTED = 4;

async function mountImage(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  // Inodes are made as they are needed: to write them all in the background would cost for nothing.
  await hostTool(["mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noinit_itable", imageOf(folder), folder], env);
  // A mount that silently failed would leave the host's own disk to be filled.
  if (!(await isMounted(folder))) throw new KaiError("E103", "mount said nothing and did nothing");
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

const DAMAGED =
  "Where it is damaged, `git kai-version snapshot destroy` removes it, with all in it that was not saved.";

async function explained(what: string, hint: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    throw new KaiError("E103", `The sandbox's disk could not be ${what}: ${cause.message}`, {
      hint: `${hint} It takes loop devices; \`git kai-version doctor\` shows what is missing.`,
      cause,
    });
  }
}
