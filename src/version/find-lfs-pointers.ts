import { parseLfsPointer } from "../agent/lfs-pointer.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { distinctPath } from "../system/path-bytes.js";
import type { TreeFile } from "./manifest.js";

export interface LfsPointer {
  readonly path: string;
  readonly oid: string;
  readonly size: number;
}

/** A pointer is shorter than this (git-lfs spec). */
const LARGEST_POINTER = 1024;

/** So many blobs, 1 MiB at most, are asked for before the first answer is there. */
const READ_AT_ONCE = 1024;

/** Git LFS pointers among a version's files; looked for only where a .gitattributes says that there may be some. */
export async function findLfsPointers(
  repository: Repository,
  reader: ObjectReader,
  treeish: string,
  files: readonly TreeFile[],
): Promise<LfsPointer[]> {
  const attributes = files.filter((file) => file.mode !== "160000" && /(^|\/)\.gitattributes$/.test(file.path));
  const texts = await Promise.all(attributes.map((file) => reader.find(file.id)));
  if (!texts.some((object) => object?.content.includes("filter=lfs"))) return [];
  const small = await listSmallFiles(repository, treeish);
  const pointers: LfsPointer[] = [];
  for (let start = 0; start < small.length; start += READ_AT_ONCE) {
    const some = small.slice(start, start + READ_AT_ONCE);
    const objects = await Promise.all(some.map((file) => reader.find(file.id)));
    for (const [index, file] of some.entries()) {
      const object = objects[index];
      const pointer = object?.type === "blob" ? parseLfsPointer(object.content) : undefined;
      if (pointer) pointers.push({ path: distinctPath(file.path), oid: pointer.oid, size: pointer.size });
    }
  }
  return pointers;
}

async function listSmallFiles(repository: Repository, treeish: string): Promise<{ path: string; id: string }[]> {
  const out = await runGit(repository, ["ls-tree", "-r", "-l", "-z", "--full-tree", treeish]);
  const small: { path: string; id: string }[] = [];
  for (const line of out.toString("latin1").split("\0")) {
    const match = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t/.exec(line);
    if (match && Number(match[2]) < LARGEST_POINTER)
      small.push({ path: line.slice(match[0].length), id: match[1] ?? "" });
  }
  return small;
}
