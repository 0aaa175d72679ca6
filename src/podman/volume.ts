import { access, chmod, mkdir, open } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { type ProcessResult, runProcess } from "../system/process.js";
import { mergedOf, unmount } from "./mount-overlay.js";

const MIB = 1024 * 1024;
const SMALLEST = 4 * MIB;

/** Whether a folder of limited size can be had: a file system in a file, on a loop device, which takes root. */
export async function hasQuota(rootless: boolean, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (rootless) return false;
  const found = await Promise.all([
    access("/dev/loop-control").then(
      () => true,
      () => false,
    ),
    ...["mkfs.ext4", "mount", "umount"].map((file) =>
      run(file, [file === "mkfs.ext4" ? "-V" : "--version"], env).then(
        ({ exitCode }) => exitCode === 0,
        () => false,
      ),
    ),
  ]);
  return found.every((each) => each);
}

/** Makes `folder` a file system of its own that holds `bytes` and no more: no journal, no setuid, no devices. */
export async function mountVolume(folder: string, bytes: number, env: NodeJS.ProcessEnv): Promise<void> {
  const image = `${folder}.ext4`;
  const handle = await open(image, "wx", 0o600);
  try {
    await handle.truncate(Math.max(SMALLEST, bytes));
  } finally {
    await handle.close();
  }
  await mkdir(folder);
  await must("mkfs.ext4", ["-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1", image], env);
  await must("mount", ["-o", "loop,nosuid,nodev", image, folder], env);
  // A mount that silently failed would leave the host's own disk to be filled.
  await access(path.join(folder, "lost+found"));
  await chmod(folder, 0o700);
}

/** Takes the file system away again; no error where none is mounted. */
export async function unmountVolume(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await unmount([mergedOf(folder), folder], env);
}

async function must(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const result = await run(file, args, env);
  if (result.exitCode === 0) return;
  throw new KaiError("E103", `The sandbox's disk could not be made: ${file}: ${result.stderr.toString().trim()}`, {
    hint: "Loop devices are needed for `resource_limits.storage`; `git kai-version doctor` shows what is missing.",
  });
}

const run = (file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<ProcessResult> =>
  runProcess({ file, args, env: { PATH: `${env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" } });
