import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";
import type { RefusedPath } from "./execution.js";
import type { ExecutableChange } from "./ingest/executable-changes.js";
import type { FoundChange } from "./ingest/found-changes.js";
import { storeChanges } from "./ingest/store-changes.js";
import type { FoundIn } from "./judged-changes.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** Of one file, before or after, and of all together: what is larger nobody reads here. */
const LARGEST_FILE = 256 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
const LONGEST = 1024 * 1024;

/** The text of what a snapshot changed, as git shows it: of deleted files that they are gone. What may be run comes first, also where it is binary. */
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
  executable: readonly ExecutableChange[],
): Promise<SnapshotPatch> {
  const shown: FoundChange[] = [];
  const notShown: RefusedPath[] = [];
  let left = MOST_BYTES;
  for (const change of changes) {
    const before = Number((await findStat(pathBelow(record.lower, change.path)).catch(() => undefined))?.size ?? 0);
    const size = change.mode === null ? 0 : Math.max(change.size, before);
    if (size > LARGEST_FILE) notShown.push(notTold(change, `${size} bytes, and a patch shows ${LARGEST_FILE}`));
    else if (size > left) notShown.push(notTold(change, `a patch shows ${MOST_BYTES} bytes of all files`));
    else {
      left -= size;
      shown.push(change);
    }
  }
  const marked = new Set(executable.map(({ path }) => path));
  const isRun = ({ path, mode }: FoundChange): boolean => mode === "100755" || marked.has(readablePath(path));
  const others = shown.filter((change) => !isRun(change));
  const run = await storeChanges(repository, { tree: record.tree, folder, changes: shown.filter(isRun) });
  const tree = await storeChanges(repository, { tree: run, folder, changes: others });
  const diff = (args: readonly string[], from: string, to: string): Promise<Buffer> =>
    runGit(repository, ["diff-tree", "-r", "--no-renames", ...args, from, to, "--"]);
  // A shell runs what git takes for binary because of one NUL.
  const text = `${await diff([...AS_PATCH, "--text"], record.tree, run)}${await diff(AS_PATCH, run, tree)}`;
  const binary = binaryOf(await diff(["--numstat", "-z"], run, tree));
  const unread = others.filter(({ path, mode }) => mode !== null && binary.has(path));
  return {
    text: text.length > LONGEST ? cut(text) : text,
    notShown: [...notShown, ...unread.map((change) => notTold(change, `binary, ${change.size} bytes`))],
  };
}

const AS_PATCH = ["-p", "--irreversible-delete", "--no-ext-diff", "--no-textconv", "--no-color"];

/** Paths (latin1) of which `--numstat -z` counts no lines. */
const binaryOf = (counted: Buffer): ReadonlySet<string> =>
  new Set(
    counted
      .toString("latin1")
      .split("\0")
      .filter((line) => line.startsWith("-\t-\t"))
      .map((line) => line.slice("-\t-\t".length)),
  );

const notTold = ({ path }: FoundChange, why: string): RefusedPath => ({ path: readablePath(path), reason: why });

const cut = (text: string): string =>
  `${text.slice(0, text.lastIndexOf("\n", LONGEST) + 1)}… and more: a patch is cut at ${LONGEST} characters\n`;
