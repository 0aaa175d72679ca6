import { constants } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { objectId } from "../git/object.js";
import { canonicalMode } from "../git/tree-lister.js";
import { inParallel } from "../system/in-parallel.js";
import { pathBelow } from "../system/path-bytes.js";
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
 * Lists a commit's files and computes its version hash. A blob is read only where neither the clone's cache of digests nor
 * the working tree has what its id names: wherever a digest comes from, a wrong one gives another hash than the signed one.
 */
export async function readVersionFiles(repository: PlainRepository, commit: string): Promise<VersionFiles> {
  const cache = await DigestCache.open(path.join(repository.gitDir, "kai", "cache"), "sha1");
  const digests = new Map<string, string>();
  const unknown = new Map<string, TreeFile>();
  const files: TreeFile[] = [];
  for await (const file of filesIn(repository, await repository.treeOf(commit), "")) {
    files.push(file);
    const known = cache.get(file.id);
    if (known !== undefined) digests.set(file.id, known);
    else if (file.mode !== "160000") unknown.set(file.id, file);
  }
  await inParallel([...unknown.values()], async (file) => {
    const content = (await findInWorkTree(repository, file)) ?? (await repository.read(file.id, "blob"));
    digests.set(file.id, sha256(content));
  });
  return { hash: versionHash(manifestLines(files, digests)), files, digests };
}

const LARGE = 16 * 1024 * 1024;

/** The file's bytes from the working tree, where they are those of its blob. */
async function findInWorkTree(repository: PlainRepository, file: TreeFile): Promise<Buffer | undefined> {
  if (!file.mode.startsWith("100")) return undefined;
  const handle = await open(
    pathBelow(repository.workTree, file.path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    // What is large is read from the object store, which says how large it is.
    if (!stat.isFile() || stat.size > LARGE) return undefined;
    const content = await handle.readFile();
    return objectId("blob", content, "sha1") === file.id ? content : undefined;
  } finally {
    await handle.close();
  }
}

async function* filesIn(repository: PlainRepository, tree: string, prefix: string): AsyncGenerator<TreeFile> {
  for (const { mode, name, id } of await repository.readTree(tree)) {
    const file = prefix + name.toString("latin1");
    if (mode === "40000") yield* filesIn(repository, id, `${file}/`);
    else yield { path: file, mode: canonicalMode(mode), id };
  }
}
