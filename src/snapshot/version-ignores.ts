import type { TreeEntry } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { isFolder, readFolder, readTreeId } from "../git/tree-folder.js";
import { type IsIgnored, readIgnoredPaths } from "../version/ignored-paths.js";
import type { TreeFile } from "../version/manifest.js";
import type { FoundChange } from "./ingest/found-changes.js";

/** Which of some paths (latin1) are ignored. */
export type Ignores = (paths: readonly string[]) => Promise<IsIgnored>;

/**
 * What the .gitignore files of a version's own tree ignore of these paths, never those that a sandbox made of them: nothing that the
 * version has. Only the folders in which they lie are read.
 */
export async function versionIgnores(
  reader: ObjectReader,
  commit: string,
  paths: readonly string[],
): Promise<IsIgnored> {
  const folders = await readFoldersOf(reader, commit, paths);
  const files: TreeFile[] = [];
  for (const [folder, entries] of folders) {
    const found = entries.get(".gitignore");
    if (found) files.push({ path: `${folder}.gitignore`, mode: found.mode, id: found.id });
  }
  const isIgnored = await readIgnoredPaths(files, (id) => reader.read(id, "blob"));
  return (path) => {
    const at = path.lastIndexOf("/") + 1;
    const known = folders.get(path.slice(0, at))?.get(path.slice(at));
    return (known === undefined || isFolder(known)) && isIgnored(path);
  };
}

/** The folders of a version above these paths, each by its path with a slash behind it. */
export async function readFoldersOf(
  reader: ObjectReader,
  commit: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, TreeEntry>>> {
  const folders = new Map([["", await readFolder(reader, await readTreeId(reader, commit))]]);
  const absent = new Set<string>();
  for (const path of paths) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const folder = path.slice(0, slash + 1);
      if (absent.has(folder)) break;
      if (folders.has(folder)) continue;
      const at = folder.lastIndexOf("/", slash - 1) + 1;
      const entry = folders.get(folder.slice(0, at))?.get(folder.slice(at, -1));
      if (!entry || !isFolder(entry)) {
        absent.add(folder);
        break;
      }
      folders.set(folder, await readFolder(reader, entry.id));
    }
  }
  return folders;
}

/** The paths (latin1) of what was added and is ignored; asks only where something was added. */
export async function ignoredOf(changes: readonly FoundChange[], ignores: Ignores): Promise<ReadonlySet<string>> {
  const added = changes.filter(({ change }) => change === "added").map(({ path }) => path);
  return new Set(added.length === 0 ? [] : added.filter(await ignores(added)));
}
