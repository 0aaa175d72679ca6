import { lstat, readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** The regular files of a version, as they lie in a folder that was written from it; never a link, and none behind one. */
export interface VersionFiles {
  readonly names: readonly string[];
  /** Bytes. */
  size(name: string): Promise<number>;
  read(name: string): Promise<Buffer>;
}

/** What no UTF-8 is: an image's build is told names as text, so one that has no text is in none. */
const NO_TEXT = "\uFFFD";

export async function versionFiles(folder: string): Promise<VersionFiles> {
  return {
    names: (await filesBelow(folder, "")).sort(),
    size: async (name) => (await lstat(path.join(folder, name))).size,
    read: (name) => readFile(path.join(folder, name)),
  };
}

async function filesBelow(folder: string, within: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(path.join(folder, within), { withFileTypes: true })) {
    if (entry.name.includes(NO_TEXT)) continue;
    const name = path.join(within, entry.name);
    if (entry.isFile()) names.push(name);
    else if (entry.isDirectory()) names.push(...(await filesBelow(folder, name)));
  }
  return names;
}
