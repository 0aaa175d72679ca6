import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";

/** The regular files of a version, as they lie in a folder that was written from it; never a link, and none behind one. */
export interface VersionFiles {
  readonly names: readonly string[];
  /** Those of its links, of which none is followed. */
  readonly links: readonly string[];
  /** Bytes. */
  size(name: string): Promise<number>;
  read(name: string): Promise<Buffer>;
  /** Where a link leads, as it says. */
  target(link: string): Promise<string>;
}

/** What no UTF-8 is: an image's build is told names as text, so one that has no text is in none. */
const NO_TEXT = "\uFFFD";

export async function versionFiles(folder: string): Promise<VersionFiles> {
  const found = { names: [], links: [] };
  await findBelow(folder, "", found);
  const { names, links } = found;
  return {
    names: names.sort(),
    links,
    size: async (name) => (await lstat(path.join(folder, name))).size,
    read: (name) => readFile(path.join(folder, name)),
    target: (link) => readlink(path.join(folder, link)),
  };
}

async function findBelow(folder: string, within: string, found: { names: string[]; links: string[] }): Promise<void> {
  for (const entry of await readdir(path.join(folder, within), { withFileTypes: true })) {
    if (entry.name.includes(NO_TEXT)) continue;
    const name = path.join(within, entry.name);
    if (entry.isFile()) found.names.push(name);
    else if (entry.isSymbolicLink()) found.links.push(name);
    else if (entry.isDirectory()) await findBelow(folder, name, found);
  }
}
