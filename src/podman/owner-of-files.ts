import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";
import type { Namespace } from "./plan-container.js";
import { ownerOutside } from "./user-mapping.js";

/**
 * Makes a folder over to the user that a sandbox runs as, links themselves and not what they name. Anybody but root is that
 * user inside, with their own group: files of another group could be read there, but not changed.
 */
export async function giveFolder(
  folder: string,
  user: { uid: number; gid: number },
  env: NodeJS.ProcessEnv,
  namespaces: readonly Namespace[] = [],
): Promise<void> {
  const owner = ownerOutside(user, namespaces);
  const { exitCode, stderr } = await runProcess({
    file: "chown",
    args: ["--recursive", "--no-dereference", `${owner.uid}:${owner.gid}`, "--", folder],
    env: { PATH: env["PATH"], LC_ALL: "C" },
  });
  if (exitCode === 0) return;
  throw new KaiError("E103", `The version's files could not be made over to user ${owner.uid}: ${stderr}`, {
    hint: "The repository's file system must know owners; `git kai-version doctor` shows what is missing.",
  });
}

/** Has the file system that holds `folder` written to the disk, so that no crash leaves what was renamed half empty. */
export async function flushFileSystem(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  await runProcess({ file: "sync", args: ["--file-system", folder], env: { PATH: env["PATH"], LC_ALL: "C" } });
}
