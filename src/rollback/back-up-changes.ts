import { constants } from "node:fs";
import { copyFile, lstat, readlink, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeTree, type TreePath } from "../git/change-tree.js";
import { formatCommitPayload } from "../git/commit-object.js";
import { type GitObject, makeObject } from "../git/object.js";
import { SYNCED_REFS, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import type { TreeChange } from "../git/tree-diff.js";
import { writeFiles } from "../git/write-files.js";
import { writeObjects } from "../git/write-objects.js";
import { findObstacleAbove, findObstacles } from "../operation/find-obstacles.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { listReplaced } from "../operation/list-replaced.js";
import { makeFolder, syncFolder } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { identityAt, SavedFiles } from "./saved-files.js";

export interface Backup {
  readonly ref: string;
  readonly commit: string;
  readonly saved: SavedFiles;
}

export interface BackupRequest {
  readonly operation: string;
  readonly head: string;
  readonly fromTree: string;
  readonly toTree: string;
  /** Tracked paths (latin1) that differ from HEAD. */
  readonly dirty: readonly string[];
  readonly at: Date;
  readonly inherit: readonly number[];
}

type Located = Repository & { workTree: string };

/**
 * Saves, byte for byte and unfiltered, what is about to be overwritten as a commit on `refs/kai/backup/<operation>`: changed
 * files, files that are in no version and in the way (ignored ones too), and as a second parent what was staged; undefined
 * where there is nothing. `git cat-file blob refs/kai/backup/<operation>:PATH` gives the bytes back.
 */
export async function backUpChanges(
  repository: Located,
  request: BackupRequest,
  signer: Signer,
): Promise<Backup | undefined> {
  const { fromTree, toTree, dirty } = request;
  const changes = await listReplaced(repository, fromTree, toTree, new Set(dirty));
  const obstacles = await findObstacles(repository.workTree, changes);
  const unseen = await findUnseen(repository, changes);
  const paths = [...new Set([...dirty, ...obstacles, ...unseen])];
  if (paths.length === 0) return undefined;
  const scratch = path.join(kaiFolderOf(repository).staging, `backup-${request.operation}`);
  await makeFolder(scratch);
  await syncFolder(path.dirname(scratch));
  try {
    // Before they are read: what is written meanwhile, too, makes it another file.
    const seen = new Map(paths.map((name) => [name, identityAt(pathBelow(repository.workTree, name))]));
    const entries = await storeFiles(repository, paths, scratch, request.inherit);
    const tree = await changeTree(repository, request.head, entries, { inherit: request.inherit });
    const staged = await stagedTree(repository, request, scratch);
    const commitOf = (content: string, parents: string[], message: string): GitObject =>
      makeObject(
        "commit",
        formatCommitPayload({ tree: content, parents, who: signer, at: request.at, message }),
        repository.objectFormat,
      );
    const index =
      staged === undefined ? [] : [commitOf(staged, [request.head], `Index before operation ${request.operation}`)];
    const parents = [request.head, ...index.map((each) => each.id)];
    const commit = commitOf(tree, parents, `Backup before operation ${request.operation}`);
    await writeObjects(repository, [...index, commit], request.inherit);
    const ref = `refs/kai/backup/${request.operation}`;
    await updateRefs(repository, [{ ref, old: null, new: commit.id }], { inherit: request.inherit });
    return { ref, commit: commit.id, saved: new SavedFiles(repository.workTree, seen) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Paths among the changes that are there, and of which git tells no change, because it was told to take them for unchanged or
 * to skip them: a tag of `git ls-files -v` in lower case, or `S`.
 */
async function findUnseen(repository: Located, changes: readonly TreeChange[]): Promise<string[]> {
  const changed = new Set(changes.map((each) => each.path));
  const listed = await runGit(repository, ["ls-files", "-v", "-z"]);
  const unseen: string[] = [];
  for (const line of listed.toString("latin1").split("\0")) {
    const name = line.slice(2);
    if (/^[a-zS] /.test(line) && changed.has(name) && (await findStat(pathBelow(repository.workTree, name))))
      unseen.push(name);
  }
  return unseen;
}

/** Writes the files as blobs through numbered copies, because git reads names line by line and a name may hold one. */
async function storeFiles(
  repository: Located,
  paths: readonly string[],
  scratch: string,
  inherit: readonly number[],
): Promise<TreePath[]> {
  const clear = new Set<string>();
  const modes = await Promise.all(
    paths.map(async (name, index) => {
      // Behind a link lies somebody else's file, and the link itself is saved.
      const isHidden = (await findObstacleAbove(repository.workTree, name, clear)) !== undefined;
      return isHidden ? "0" : copyAside(repository, name, path.join(scratch, `${index}`));
    }),
  );
  const copies = modes.flatMap((mode, index) => (mode === "0" || mode === SKIPPED ? [] : [String(index)]));
  const ids = await writeFiles(repository, scratch, copies, inherit);
  return paths.flatMap((name, index) => {
    const mode = modes[index] ?? SKIPPED;
    if (mode === SKIPPED) return [];
    return [{ path: name, mode, id: mode === "0" ? "" : (ids.shift() ?? "") }];
  });
}

/** What is no file has no bytes to save: a submodule's folder, a pipe. */
const SKIPPED = "";

async function copyAside(repository: Located, name: string, copy: string): Promise<string> {
  const file = pathBelow(repository.workTree, name);
  const stat = await lstat(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw cause;
  });
  if (stat === undefined) return "0";
  if (stat.isSymbolicLink()) {
    await writeFile(copy, await readlink(file, "buffer"));
    return "120000";
  }
  if (!stat.isFile()) return SKIPPED;
  await copyFile(file, copy, constants.COPYFILE_FICLONE);
  return stat.mode & 0o100 ? "100755" : "100644";
}

/** What is staged and not committed; undefined where that is nothing, a merge that is not settled, or there is no index. */
async function stagedTree(repository: Located, request: BackupRequest, scratch: string): Promise<string | undefined> {
  const index = path.join(scratch, "staged");
  if ((await findStat(path.join(repository.gitDir, "index"))) === undefined) return undefined;
  await copyFile(path.join(repository.gitDir, "index"), index);
  const options = { env: { GIT_INDEX_FILE: index }, config: SYNCED_REFS, inherit: request.inherit };
  const result = await tryGit(repository, ["write-tree"], options);
  const tree = result.stdout.toString().trim();
  return result.exitCode !== 0 || tree === request.fromTree ? undefined : tree;
}
