import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { KaiError } from "../error.js";
import { openFolders } from "../system/open-folders.js";
import { runProcess } from "../system/process.js";
import { runPodman } from "./podman.js";

/** Takes a folder away: out of sight at once by a rename, then deleted. What a sandbox left in it may be anybody's. */
export async function removeFolder(folder: string, rootless: boolean, env: NodeJS.ProcessEnv): Promise<void> {
  const doomed = `${folder}.${randomUUID().slice(0, 8)}.gone`;
  await rename(folder, doomed);
  // Rootless, overlay's own folder has no permission bits: only the namespace that made it may look inside.
  if (rootless) await removeInNamespace(doomed, env);
  await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
}

async function removeInNamespace(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await runPodman(["unshare", "rm", "-rf", "--", folder], { env });
  } catch (cause) {
    if (!(cause instanceof KaiError && cause.code === "E117")) throw cause;
    // Without Podman all in it is the caller's own, and was made without it.
    await openFolders(folder);
  }
}

/** Hides `name` of the lower layer by a whiteout in `upper`: a character device 0:0, as overlayfs reads it. */
export async function writeWhiteout(file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const result = await runProcess({
    file: "mknod",
    args: [file, "c", "0", "0"],
    env: { PATH: env["PATH"], LC_ALL: "C" },
  });
  return result.exitCode === 0;
}

/** Copies a folder with owners and modes to where nothing is yet, sharing blocks where the file system can. */
export async function copyFolder(from: string, to: string, env: NodeJS.ProcessEnv): Promise<void> {
  const args = ["--archive", "--reflink=auto", "--no-target-directory", "--", from, to];
  const result = await runProcess({ file: "cp", args, env: { PATH: env["PATH"], LC_ALL: "C" } });
  if (result.exitCode === 0) return;
  throw new KaiError(
    "E118",
    `The sandbox's copy could not be made: ${result.stderr.toString().trim().split("\n")[0]}`,
    {
      hint: "`resource_limits.storage` must hold all of the version's files; a type other than full copies none.",
    },
  );
}
