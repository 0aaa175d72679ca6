import { lstat, readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** The regular files of a version, as they lie in a folder that was written from it; never a link, and none behind one. */
export interface VersionFiles {
  readonly names: readonly string[];
  /** Bytes. */
  size(name: string): Promise<number>;
  read(name: string): Promise<Buffer>;
}

export async function versionFiles(folder: string): Promise<VersionFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  return {
    names,
    size: async (name) => (await lstat(path.join(folder, name))).size,
    read: (name) => readFile(path.join(folder, name)),
  };
}
