import { lstat, readlink } from "node:fs/promises";
import path from "node:path";
import { isAlive } from "../system/process-identity.js";
import type { RunningContainer } from "./start-container.js";

/** Whether a container that runs has the shell by which commands are begun; undefined where this host cannot look into it. */
export async function hasShell({
  process: identity,
  ownKernel,
}: Pick<RunningContainer, "process" | "ownKernel">): Promise<boolean | undefined> {
  if (ownKernel) return undefined;
  const root = `/proc/${identity.split(":")[1]}/root`;
  // From here such a link leads into this host. What the shell itself links to is not followed.
  const bin = await readlink(`${root}/bin`).catch(() => "");
  if (path.isAbsolute(bin)) return undefined;
  try {
    await lstat(`${root}/bin/sh`);
    return true;
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    return isAbsent && isAlive(identity) ? false : undefined;
  }
}
