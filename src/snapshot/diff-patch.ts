import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";
import type { RefusedPath } from "./execution.js";
import type { FoundChange } from "./ingest/found-changes.js";
import { storeChanges } from "./ingest/store-changes.js";
import type { FoundIn } from "./judged-changes.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** Of one file, before or after, and of all together: what is larger nobody reads here. */
const LARGEST_FILE = 256 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
const LONGEST = 1024 * 1024;

/** The text of what a snapshot changed, as git shows it: of binary files that they differ, of deleted ones that they are gone. */
export interface SnapshotPatch {
  readonly text: string;
  /** What it does not show, and why. */
  readonly notShown: readonly RefusedPath[];
}

/** By objects that nothing names, and nothing of the sandbox's: no driver, filter or attribute of what is there. Nothing runs in it meanwhile. */
export async function patchOf(
  repository: Repository,
  record: SnapshotRecord,
  { folder, changes }: FoundIn,
): Promise<SnapshotPatch> {
  const shown: FoundChange[] = [];
  const notShown: RefusedPath[] = [];
  let left = MOST_BYTES;
  for (const change of changes) {
    const before = Number((await findStat(pathBelow(record.lower, change.path)).catch(() => undefined))?.size ?? 0);
    const size = change.mode === null ? 0 : Math.max(change.size, before);
    if (size > LARGEST_FILE) notShown.push(tooLarge(change, `${size} bytes, and a patch shows ${LARGEST_FILE}`));
    else if (size > left) notShown.push(tooLarge(change, `a patch shows ${MOST_BYTES} bytes of all files`));
    else {
      left -= size;
      shown.push(change);
    }
  }
  const tree = await storeChanges(repository, { tree: record.tree, folder, changes: shown });
  const args = ["diff-tree", "-p", "-r", "--no-renames", "--irreversible-delete", "--no-ext-diff", "--no-textconv"];
  const text = (await runGit(repository, [...args, "--no-color", record.tree, tree, "--"])).toString();
  return { text: text.length > LONGEST ? cut(text) : text, notShown };
}

const tooLarge = ({ path }: FoundChange, why: string): RefusedPath => ({ path: readablePath(path), reason: why });

const cut = (text: string): string =>
  `${text.slice(0, text.lastIndexOf("\n", LONGEST) + 1)}… and more: a patch is cut at ${LONGEST} characters\n`;
