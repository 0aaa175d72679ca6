import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";

/**
 * Makes a folder over to the user that a sandbox runs as, links themselves and not what they name. Only root can; anybody
 * else is that user inside, so nothing is to be done.
 */
export async function giveFolder(
  folder: string,
  user: { uid: number; gid: number },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { exitCode, stderr } = await runProcess({
    file: "chown",
    args: ["--recursive", "--no-dereference", `${user.uid}:${user.gid}`, "--", folder],
    env: { PATH: env["PATH"], LC_ALL: "C" },
  });
  if (exitCode === 0) return;
  throw new KaiError("E103", `The version's files could not be made over to user ${user.uid}: ${stderr}`, {
    hint: "The repository's file system must know owners; `git kai-version doctor` shows what is missing.",
  });
}

/** Has the file system that holds `folder` written to the disk, so that no crash leaves what was renamed half empty. */
export async function flushFileSystem(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await runProcess({ file: "sync", args: ["--file-system", folder], env: { PATH: env["PATH"], LC_ALL: "C" } });
}
