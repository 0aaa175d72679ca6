import { lstatSync } from "node:fs";
import { type FileIdentity, identityOf, isUntouched } from "../operation/worktree-manifest.js";
import { pathBelow } from "../system/path-bytes.js";

/**
 * Paths (latin1) of a working tree whose bytes a backup holds. It has a path only while what stands there is what was saved:
 * an edit made since is nobody's to overwrite.
 */
export class SavedFiles extends Set<string> {
  readonly #workTree: string;
  readonly #seen: ReadonlyMap<string, FileIdentity | null>;

  /** `seen` tells what stood at each path before its bytes were read; null for nothing. */
  constructor(workTree: string, seen: ReadonlyMap<string, FileIdentity | null>) {
    super(seen.keys());
    this.#workTree = workTree;
    this.#seen = seen;
  }

  override has(path: string): boolean {
    const seen = this.#seen.get(path);
    return seen !== undefined && isUntouched(seen, identityAt(pathBelow(this.#workTree, path)));
  }
}

/** What tells the file at a path from any other, links not followed; of a folder, that has no bytes, and of nothing null. */
export function identityAt(path: Buffer): FileIdentity | null {
  try {
    const stat = lstatSync(path, { bigint: true });
    return stat.isDirectory() ? null : identityOf(stat);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw cause;
  }
}
