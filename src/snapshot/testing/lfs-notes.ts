import { listTree } from "../../git/list-tree.js";
import { ObjectReader } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import { findLfsPointers } from "../../version/find-lfs-pointers.js";

/** What a test says of files that Git LFS keeps: their pointers are what it ran over (docs/adr/0005). */
export async function lfsNotes(repository: Repository, commit: string): Promise<string[]> {
  const reader = new ObjectReader(repository);
  try {
    const { length } = await findLfsPointers(repository, reader, commit, await listTree(repository, commit));
    if (length === 0) return [];
    const are = length === 1 ? "1 file is kept" : `${length} files are kept`;
    return [`${are} by Git LFS: the sandbox sees the ${length === 1 ? "pointer" : "pointers"}, not the content.`];
  } finally {
    reader.close();
  }
}
