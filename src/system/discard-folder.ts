import { readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "./durable-file.js";
import { findStat } from "./path-bytes.js";
import { startDetached } from "./process.js";

/** So long after its last change a folder in the trash is nobody's: what removed it is dead. */
const FORGOTTEN_MS = 600_000;

/**
 * Moves a folder into `trash` and has it removed by a process that may outlive this one, so that nobody waits for it. Where
 * it cannot be moved (another file system) it is removed at once.
 */
export async function discardFolder(folder: string, trash: string): Promise<void> {
  const target = path.join(trash, path.basename(folder));
  try {
    await makeFolder(trash);
    await rename(folder, target);
  } catch {
    await rm(folder, { recursive: true, force: true });
    return;
  }
  startDetached("rm", ["-rf", "--", target]);
}

/** Goes on with what an earlier process was kept from removing. */
export async function emptyTrash(trash: string): Promise<void> {
  // Behind a link are other people's files.
  if (!(await findStat(trash))?.isDirectory()) return;
  const now = Date.now();
  for (const name of await readdir(trash).catch(() => [])) {
    const target = path.join(trash, name);
    const seen = await stat(target).catch(() => undefined);
    if (seen && now - seen.ctimeMs > FORGOTTEN_MS) startDetached("rm", ["-rf", "--", target]);
  }
}
