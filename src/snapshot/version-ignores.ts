import { listTree } from "../git/list-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { type IsIgnored, readIgnoredPaths } from "../version/ignored-paths.js";
import type { FoundChange } from "./ingest/found-changes.js";

/**
 * What the .gitignore files of a version's own tree ignore, never those that a sandbox made of them: nothing that the version has.
 */
export async function versionIgnores(repository: Repository, reader: ObjectReader, commit: string): Promise<IsIgnored> {
  const files = await listTree(repository, commit);
  const has = new Set(files.map(({ path }) => path));
  const isIgnored = await readIgnoredPaths(files, (id) => reader.read(id, "blob"));
  return (path) => !has.has(path) && isIgnored(path);
}

/** The paths (latin1) of what was added and is ignored; asks only where something was added. */
export async function ignoredOf(
  changes: readonly FoundChange[],
  ignores: () => Promise<IsIgnored>,
): Promise<ReadonlySet<string>> {
  const added = changes.filter(({ change }) => change === "added").map(({ path }) => path);
  return new Set(added.length === 0 ? [] : added.filter(await ignores()));
}
