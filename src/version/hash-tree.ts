import { digestBlobs } from "../git/blob-digests.js";
import { listTree } from "../git/list-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { DigestCache } from "./digest-cache.js";
import { type ManifestLine, manifestLines, type TreeFile, versionHash } from "./manifest.js";

export interface HashedTree {
  readonly hash: string;
  readonly files: readonly TreeFile[];
  readonly lines: readonly ManifestLine[];
}

/** A commit's files and the digests that are known, both being read; the start of a hash that may not be asked for. */
export interface StartedHash {
  readonly commit: string;
  readonly listing: Promise<readonly TreeFile[]>;
  readonly cache: Promise<DigestCache>;
}

/** The same of what HEAD is on, if that is a commit. */
export async function startHashOfHead(repository: Repository, reader: ObjectReader): Promise<StartedHash | undefined> {
  const head = await reader.find("HEAD");
  return head && startHash(repository, head.id);
}

export function startHash(repository: Repository, commit: string): StartedHash {
  const listing = listTree(repository, commit);
  const cache = DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat);
  // Whoever goes on with it is told of a failure.
  listing.catch(() => {});
  cache.catch(() => {});
  return { commit, listing, cache };
}

/** The version hash of a commit or tree, whose `listing` may be under way; only blobs that the cache does not know are read. */
export async function hashTree(
  repository: Repository,
  treeish: string,
  cache: Pick<DigestCache, "get" | "add">,
  listing: Promise<readonly TreeFile[]> = listTree(repository, treeish),
): Promise<HashedTree> {
  const files = await listing;
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
