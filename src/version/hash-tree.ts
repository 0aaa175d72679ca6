import { digestBlobs } from "../git/blob-digests.js";
import { listTree } from "../git/list-tree.js";
import type { Repository } from "../git/repository.js";
import type { DigestCache } from "./digest-cache.js";
import { type ManifestLine, manifestLines, type TreeFile, versionHash } from "./manifest.js";

export interface HashedTree {
  readonly hash: string;
  readonly files: readonly TreeFile[];
  readonly lines: readonly ManifestLine[];
}

/** The version hash of a commit or tree; only blobs that the cache does not know are read. */
export async function hashTree(
  repository: Repository,
  treeish: string,
  cache: Pick<DigestCache, "get" | "add">,
): Promise<HashedTree> {
  const files = await listTree(repository, treeish);
  const digests = new Map<string, string>();
  const unknown = new Set<string>();
  for (const file of files) {
    if (file.mode === "160000") continue;
    const digest = cache.get(file.id);
    if (digest === undefined) unknown.add(file.id);
    else digests.set(file.id, digest);
  }
  const fresh = await digestBlobs(repository, [...unknown]);
  await cache.add(fresh);
  for (const [id, digest] of fresh) digests.set(id, digest);
  const lines = manifestLines(files, digests);
  return { hash: versionHash(lines), files, lines };
}
