import path from "node:path";
import { DigestCache } from "../version/digest-cache.js";
import { manifestLines, type TreeFile, versionHash } from "../version/manifest.js";
import { type PlainRepository, sha256 } from "./plain-repository.js";

/** The files of a version, each with what its content must be. */
export interface VersionFiles {
  /** As the signed tag names it, computed anew. */
  readonly hash: string;
  readonly files: readonly TreeFile[];
  /** SHA-256 of each blob, by its id. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Lists a commit's files and computes its version hash. Digests that the clone has cached are taken as they are: a wrong
 * one gives another hash than the signed one.
 */
export async function readVersionFiles(repository: PlainRepository, commit: string): Promise<VersionFiles> {
  const files = await listFiles(repository, await repository.treeOf(commit), "");
  const cache = await DigestCache.open(path.join(repository.gitDir, "kai", "cache"), "sha1");
  const digests = new Map<string, string>();
  for (const { id, mode } of files) {
    if (mode === "160000" || digests.has(id)) continue;
    digests.set(id, cache.get(id) ?? sha256(await repository.read(id, "blob")));
  }
  return { hash: versionHash(manifestLines(files, digests)), files, digests };
}

async function listFiles(repository: PlainRepository, tree: string, prefix: string): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  for (const { mode, name, id } of await repository.readTree(tree)) {
    const file = prefix + name.toString("latin1");
    if (mode === "40000") files.push(...(await listFiles(repository, id, `${file}/`)));
    else files.push({ path: file, mode: canonicalMode(mode), id });
  }
  return files;
}

/** As `git ls-tree` shows it: trees of old tools hold modes such as 100664. */
function canonicalMode(mode: string): string {
  if (!mode.startsWith("100")) return mode;
  return Number.parseInt(mode, 8) & 0o100 ? "100755" : "100644";
}
