import path from "node:path";
import type { Repository } from "../git/repository.js";
import { type GitOptions, runGit } from "../git/run-git.js";
import { ABSENT, diffTrees, type TreeChange } from "../git/tree-diff.js";
import { makeFolder, syncFile, syncFolder, writeDurably } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { canonicalJson } from "./canonical-json.js";
import { checkOutAside, foldersAbove } from "./check-out-aside.js";
import { findObstacleAbove, findObstacles } from "./find-obstacles.js";
import { copyIndex } from "./git-index.js";
import { listReplaced } from "./list-replaced.js";
import { requireReplaceable } from "./require-replaceable.js";
import { filesInTheWay, requireUnchanged } from "./require-unchanged.js";
import { findSkippedPaths, skipNewPaths, unmarkSaved } from "./skipped-paths.js";
import { type FileIdentity, identityOf, type WorktreeManifest, type WorktreeStep } from "./worktree-manifest.js";

/** What an operation does to index and working tree. */
export interface WorktreeChange {
  /** The tree that the index and the working tree hold now. */
  readonly from: string;
  readonly to: string;
  /** Paths (latin1) that may be overwritten although git does not know what is there: it was saved, or agreed to. */
  readonly saved: ReadonlySet<string>;
  /** Whether the file at a path (latin1) stays as it is, whatever git holds of it: the agent's live state. */
  readonly isKept?: (path: string) => boolean;
  /** Throw away what is staged in the index: it was saved. */
  readonly reset?: boolean;
}

const GITLINK = "160000";

/**
 * Prepares everything that turns `from` into `to`, without touching index or working tree: the new index, the new
 * files, and a manifest of the steps. E102 where a path is in the way that git does not know.
 */
export async function stageWorktree(
  repository: Repository & { workTree: string },
  change: WorktreeChange,
  folder: string,
  inherit: readonly number[],
): Promise<void> {
  const { from, to, reset, saved } = change;
  const changes = await (reset ? listReplaced(repository, from, to, saved) : diffTrees(repository, from, to));
  await makeFolder(path.join(folder, "files"));
  await makeFolder(path.join(folder, "removed"));
  const index = path.join(folder, "index");
  await copyIndex(path.join(repository.gitDir, "index"), index);
  const before = path.join(folder, "index-before");
  await copyIndex(index, before);
  const env = { GIT_INDEX_FILE: index };
  // A split index keeps part of itself in a file beside it, which a copy elsewhere would not find.
  const config = ["core.splitIndex=false", "core.fsmonitor=false", "core.untrackedCache=keep"];
  if (change.reset) await unmarkSaved(repository, index, change.saved, { config, inherit });
  const merge = change.reset ? ["--reset", change.to] : ["-i", "-m", change.from, change.to];
  await runGit(repository, ["read-tree", ...merge], { env, config, inherit });

  const skipped = await findSkippedPaths(repository, before, { config, inherit });
  const leftOut = await findLeftOut(repository, change, changes, skipped, { env, config, inherit });
  const written = changes.filter((each) => !leftOut.has(each.path));
  const placed = written.filter((each) => each.newMode !== ABSENT && each.newMode !== GITLINK);
  const touched = written.filter((each) => !change.isKept?.(each.path));
  const obstacles = await findObstacles(repository.workTree, touched);
  const blocked = obstacles.filter((name) => !change.saved.has(name));
  if (blocked.length > 0) throw filesInTheWay(blocked);
  const seen = await identitiesAt(repository.workTree, touched);
  const paths = placed.map((each) => each.path);
  const [unchanged, staged] = await Promise.allSettled([
    // After it was noted what is there: an edit before that is found now, a later one when it is looked at again.
    requireUnchanged(repository, before, touched, change.saved, skipped, inherit),
    checkOutAside(repository, paths, path.join(folder, "files"), { env, config, inherit }),
  ]);
  // Whoever takes the folder away after a refusal finds nobody at work in it.
  if (unchanged.status === "rejected") throw unchanged.reason;
  if (staged.status === "rejected") throw staged.reason;
  const steps = await stepsFor({ workTree: repository.workTree, folder, changes: touched, obstacles, seen });
  await requireReplaceable(
    repository.workTree,
    steps.map((step) => step.path),
  );
  await syncStaged(folder, steps);
  const manifest: WorktreeManifest = { steps };
  await writeDurably(path.join(folder, "manifest"), canonicalJson(manifest));
  await syncFolder(path.dirname(folder));
}

/**
 * Paths (latin1) whose files a sparse checkout leaves out, of which only the index changes: marked "skip-worktree" and not there,
 * or new and outside its patterns.
 */
async function findLeftOut(
  repository: Repository & { workTree: string },
  { saved }: WorktreeChange,
  changes: readonly TreeChange[],
  skipped: ReadonlySet<string>,
  options: GitOptions & { env: { GIT_INDEX_FILE: string } },
): Promise<Set<string>> {
  const absent: string[] = [];
  const added: string[] = [];
  for (const { path: name, oldMode, newMode } of changes) {
    const isNew = oldMode === ABSENT && newMode !== GITLINK;
    if (saved.has(name) || !(isNew || skipped.has(name))) continue;
    if ((await findStat(pathBelow(repository.workTree, name))) === undefined) (isNew ? added : absent).push(name);
  }
  const outside = await skipNewPaths(repository, options.env.GIT_INDEX_FILE, added, options);
  return new Set([...absent, ...outside]);
}

/** Removals first, so that a file may become a folder; then what is placed. */
async function stepsFor({
  workTree,
  folder,
  changes,
  obstacles,
  seen,
}: {
  readonly workTree: string;
  readonly folder: string;
  readonly changes: readonly TreeChange[];
  readonly obstacles: readonly string[];
  readonly seen: ReadonlyMap<string, FileIdentity>;
}): Promise<WorktreeStep[]> {
  const removed: WorktreeStep[] = [];
  const placed: WorktreeStep[] = [];
  const blocked: string[] = [];
  let asides = 0;
  for (const change of changes) {
    const { path: name } = change;
    if (change.newMode === GITLINK) {
      placed.push({ kind: "submodule", path: name });
    }
    if (change.oldMode === GITLINK && change.newMode !== GITLINK && change.newMode !== ABSENT) blocked.push(name);
    if (change.oldMode === GITLINK) continue;
    const before = seen.get(name) ?? null;
    if (change.newMode === ABSENT || change.newMode === GITLINK) {
      removed.push({ kind: "remove", path: name, aside: String(asides++), before });
      continue;
    }
    const staged = await findStat(pathBelow(`${folder}/files`, name));
    // Not checked out: a sparse checkout leaves it out, and so do we.
    if (staged !== undefined) {
      const aside = before === null ? null : String(asides++);
      placed.push({ kind: "place", path: name, before, placed: identityOf(staged), aside });
    }
  }
  if (blocked.length > 0) throw filesInTheWay(blocked);
  const places = new Set(placed.map((step) => step.path));
  for (const name of obstacles) {
    const now = places.has(name) ? undefined : await findStat(pathBelow(workTree, name));
    if (now) removed.push({ kind: "remove", path: name, aside: String(asides++), before: identityOf(now) });
  }
  // Deeper first, so that folders are empty when their turn comes.
  removed.sort((a, b) => (a.path < b.path ? 1 : -1));
  return [...removed, ...placed];
}

/** What is at the paths that change: none where nothing is, or a folder, nor behind a link, where it is somebody else's file. */
async function identitiesAt(workTree: string, changes: readonly TreeChange[]): Promise<Map<string, FileIdentity>> {
  const seen = new Map<string, FileIdentity>();
  const clear = new Set<string>();
  for (const { path: name } of changes) {
    if ((await findObstacleAbove(workTree, name, clear)) !== undefined) continue;
    const now = await findStat(pathBelow(workTree, name));
    if (now !== undefined && !now.isDirectory()) seen.set(name, identityOf(now));
  }
  return seen;
}

/** The index, and the folders that name the files that are to be placed: once the log says so they are all there is. */
async function syncStaged(folder: string, steps: readonly WorktreeStep[]): Promise<void> {
  const files = path.join(folder, "files");
  const names = steps.flatMap((step) => (step.kind === "place" ? [step.path] : []));
  await syncFile(path.join(folder, "index"));
  await Promise.all(foldersAbove(names).map((name) => syncFolder(pathBelow(files, name))));
  await syncFolder(files);
}
