import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { gitFailure, runGit, tryGit } from "../git/run-git.js";
import { ABSENT, type TreeChange } from "../git/tree-diff.js";
import { readablePath } from "../system/path-bytes.js";
import { markPaths } from "./skipped-paths.js";

/**
 * Refuses (E102) where a file that is to be replaced is not what the index says it is, also one that the user told git to
 * take for unchanged.
 */
export async function requireUnchanged(
  repository: Repository,
  index: string,
  touched: readonly TreeChange[],
  saved: ReadonlySet<string>,
  skipped: ReadonlySet<string>,
  inherit: readonly number[],
): Promise<void> {
  const paths = touched.filter((each) => each.oldMode !== ABSENT && !saved.has(each.path)).map((each) => each.path);
  if (paths.length === 0) return;
  const options = {
    env: { GIT_INDEX_FILE: index },
    config: ["core.splitIndex=false", "core.fsmonitor=false"],
    inherit,
  };
  // Of a path so marked git tells no change.
  const marked = paths.filter((name) => skipped.has(name));
  await markPaths(repository, "--no-skip-worktree", marked, options);
  // It ends with 1 where something differs, and takes back "assume unchanged" of what does.
  const refresh = ["update-index", "--really-refresh"];
  const refreshed = await tryGit(repository, refresh, options);
  if (refreshed.exitCode === 0) return;
  if (refreshed.exitCode !== 1) throw gitFailure(refresh, refreshed);
  const out = await runGit(repository, ["diff-files", "--name-only", "-z", "--ignore-submodules=all"], options);
  const changed = new Set(out.toString("latin1").split("\0"));
  const blocked = paths.filter((name) => changed.has(name));
  if (blocked.length > 0) throw filesInTheWay(blocked);
}

/** E102 for paths (latin1) in whose place something would be put. */
export function filesInTheWay(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E102",
    `Files whose content is in no version would be overwritten: ${shown}${paths.length > 5 ? ", …" : ""}.`,
    {
      hint: "Move them away or commit them; `--force` saves them under refs/kai/backup and goes on.",
      data: { paths: paths.map(readablePath) },
    },
  );
}
