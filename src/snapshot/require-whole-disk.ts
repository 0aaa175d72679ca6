import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { hasLostWrites } from "../podman/volume.js";
import { volumeOf } from "./sandbox/sandbox-folder.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SnapshotStore } from "./snapshot-store.js";

/** Beside the record: the kernel tells of a lost write only once. */
const MARK = "disk-failed";

/**
 * Refuses (E118) to keep what a sandbox wrote to a disk of its own that the host's disk could not take: the sandbox itself was told
 * that all is well, and what is read back may be anything.
 */
export async function requireWholeDisk(
  store: SnapshotStore,
  { id, folder }: Pick<SnapshotRecord, "id" | "folder">,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (!(await isDamaged(store, { id, folder }, env))) return;
  throw new KaiError(
    "E118",
    `What was written in the sandbox ${id} is not whole: the disk of ${path.dirname(folder)} was full, or failed.`,
    {
      hint: `Nothing of it is kept. Make room there, and do it again in another one; \`git kai-version snapshot destroy ${id}\` takes this one away.`,
    },
  );
}

/** Whether that is so. */
export async function isDamaged(
  store: SnapshotStore,
  { id, folder }: Pick<SnapshotRecord, "id" | "folder">,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const mark = path.join(store.folderOf(id), MARK);
  if (existsSync(mark)) return true;
  const lost = await hasLostWrites(volumeOf(folder), env);
  if (lost) await writeFile(mark, "").catch(() => {});
  return lost;
}
