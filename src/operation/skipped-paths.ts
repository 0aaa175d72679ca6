import { open } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { type GitOptions, runGit, tryGit } from "../git/run-git.js";
import { findStat } from "../system/path-bytes.js";

/**
 * Paths (latin1) that an index marks "skip-worktree": a sparse checkout leaves them out, or a user said so. Asks git only where
 * the index can hold such a mark (gitformat-index: extended flags need version 3).
 */
export async function findSkippedPaths(
  repository: Repository,
  index: string,
  options: GitOptions,
): Promise<ReadonlySet<string>> {
  if ((await versionOf(index)) < 3) return new Set();
  const env = { ...options.env, GIT_INDEX_FILE: index };
  const out = await runGit(repository, ["ls-files", "-t", "-z"], { ...options, env });
  const marked = out
    .toString("latin1")
    .split("\0")
    .filter((line) => line.startsWith("S "));
  return new Set(marked.map((line) => line.slice(2)));
}

/** `DIRC`, then the version in four bytes; 0 where there is no index. */
async function versionOf(index: string): Promise<number> {
  const handle = await open(index, "r").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw cause;
  });
  if (handle === undefined) return 0;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 ? buffer.readUInt32BE(4) : 0;
  } finally {
    await handle.close();
  }
}

/**
 * Marks "skip-worktree", in a sparse checkout, which of `added` (latin1; new in `index`) its patterns leave out, as git itself does
 * with new files. Gives those.
 */
export async function skipNewPaths(
  repository: Repository,
  index: string,
  added: readonly string[],
  options: GitOptions,
): Promise<ReadonlySet<string>> {
  const patterns = path.join(repository.gitDir, "info/sparse-checkout");
  if (added.length === 0 || (await findStat(patterns)) === undefined) return new Set();
  const asked = await tryGit(repository, ["config", "--type=bool", "--get", "core.sparseCheckout"]);
  if (asked.stdout.toString().trim() !== "true") return new Set();
  const own = { ...options, env: { ...options.env, GIT_INDEX_FILE: index } };
  const inside = await runGit(
    repository,
    ["ls-files", "--cached", "--ignored", "-z", `--exclude-from=${patterns}`],
    own,
  );
  const kept = new Set(inside.toString("latin1").split("\0"));
  const out = added.filter((name) => !kept.has(name));
  await markPaths(repository, "--skip-worktree", out, own);
  return new Set(out);
}

/**
 * Takes both marks that hide a change from git ("skip-worktree", "assume unchanged") off those of `saved` that bear them: git puts
 * nothing in the place of a changed file with one.
 */
export async function unmarkSaved(
  repository: Repository,
  index: string,
  saved: Pick<ReadonlySet<string>, "has">,
  options: GitOptions,
): Promise<void> {
  const own = { ...options, env: { ...options.env, GIT_INDEX_FILE: index } };
  const listed = (await runGit(repository, ["ls-files", "-v", "-z"], own)).toString("latin1").split("\0");
  const marked = (tag: RegExp) =>
    listed.filter((line) => tag.test(line) && saved.has(line.slice(2))).map((line) => line.slice(2));
  const [skipped, assumed] = [marked(/^[sS] /), marked(/^[a-z] /)];
  await markPaths(repository, "--no-skip-worktree", skipped, own);
  await markPaths(repository, "--no-assume-unchanged", assumed, own);
}

/** Sets a mark of `paths` (latin1), by an option of git update-index. */
export async function markPaths(
  repository: Repository,
  mark: "--skip-worktree" | "--no-skip-worktree" | "--no-assume-unchanged",
  paths: readonly string[],
  options: GitOptions,
): Promise<void> {
  if (paths.length === 0) return;
  const input = Buffer.from(paths.map((name) => `${name}\0`).join(""), "latin1");
  await runGit(repository, ["update-index", mark, "-z", "--stdin"], { ...options, input });
}
