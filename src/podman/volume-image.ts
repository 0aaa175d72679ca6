import { randomUUID } from "node:crypto";
import { access, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { makeFolder } from "../system/durable-file.js";
import { hostTool } from "./host-tool.js";

const MIB = 1024 * 1024;
const SMALLEST = 4 * MIB;

/** Goes up when `OPTIONS` change. */
const FORMAT = 1;

/**
 * No journal, since what a crash leaves is checked; nothing for root alone; no spare copies of what describes the file system and
 * all of that in one place, so that an empty one takes 50 KB of the disk.
 */
const OPTIONS = [
  ...["-m", "0", "-O", "^has_journal,^resize_inode,sparse_super2"],
  ...["-E", "lazy_itable_init=1,num_backup_sb=0", "-G", "4096"],
];

/**
 * Makes `image`, a file of `bytes` with an empty ext4 in it, as the copy of one that is kept in `cacheDir`: several times
 * faster than to make another.
 */
export async function makeVolumeImage(
  image: string,
  bytes: number,
  { env, cacheDir }: { env: NodeJS.ProcessEnv; cacheDir: string },
): Promise<void> {
  const size = Math.max(SMALLEST, bytes);
  const template = path.join(path.resolve(cacheDir), `volume-${FORMAT}-${size}.ext4`);
  const known = await access(template).then(
    () => true,
    () => false,
  );
  if (!known) await makeTemplate(template, size, env);
  await hostTool(["cp", "--sparse=always", "--no-clobber", template, image], env);
}

async function makeTemplate(template: string, size: number, env: NodeJS.ProcessEnv): Promise<void> {
  const aside = `${template}.${randomUUID()}`;
  await makeFolder(path.dirname(template), 0o777);
  try {
    const handle = await open(aside, "wx", 0o600);
    try {
      await handle.truncate(size).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "EFBIG") throw cause;
        throw new KaiError("E103", `a file of ${size} bytes is larger than files may be here`, { cause });
      });
    } finally {
      await handle.close();
    }
    await hostTool(["mkfs.ext4", "-q", "-F", ...OPTIONS, aside], env);
    await rename(aside, template);
  } finally {
    await rm(aside, { force: true });
  }
}
