import { constants } from "node:fs";
import { copyFile, cp, mkdir, open, readlink, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import { runGit, runGitAround, tryGit } from "../git/run-git.js";
import { unquotePath } from "../git/unquote-path.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findStateFiles } from "../state/find-state-files.js";
import { copyPaths } from "../system/copy-paths.js";
import { makeFolder } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { backUpSqlite, isSqlite, SQLITE_SIBLINGS } from "../system/sqlite.js";
import type { AgentRepository } from "../version/agent-repository.js";
import { canonicalFolder, configuredRoot } from "../version/deployment-place.js";
import { readStatus } from "../version/work-tree-status.js";
import { findIgnored } from "./find-ignored.js";

export interface AgentCopy {
  readonly folder: string;
  /** The caller's environment, without what leads git to the original. */
  readonly env: NodeJS.ProcessEnv;
}

/** Copies an agent to where nothing is yet; without the folders `avoided`, which may lie in it. */
export async function copyAgent(
  agent: AgentRepository,
  folder: string,
  avoided: readonly string[],
): Promise<AgentCopy> {
  const given = Object.entries(agent.repository.callerEnv);
  const env = Object.fromEntries(given.filter(([name]) => !LOCATING.has(name)));
  await copyAll(agent, folder, avoided, env);
  return { folder, env };
}

/** Variables by which a hook tells git where the repository is (git(1)). */
const LOCATING: ReadonlySet<string> = new Set([
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
]);

/** The folders that the copy borrows objects from, absolute: the agent's own, and those that it borrows from itself. */
export async function listBorrowed({ folder, env }: AgentCopy): Promise<string[]> {
  const counted = await runGitAround(folder, env, ["-c", "core.quotePath=false", "count-objects", "--verbose"]);
  return counted
    .toString()
    .split("\n")
    .flatMap((line) => (line.startsWith("alternate: ") ? [unquotePath(line.slice("alternate: ".length))] : []));
}

/**
 * Every ref, the branch checked out, changes that are not committed, what git ignores (installed dependencies, settings), and
 * the live state. Objects are borrowed, not copied.
 */
async function copyAll(
  { repository, config }: AgentRepository,
  folder: string,
  avoided: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { workTree, commonDir, objectFormat } = repository;
  if (workTree === undefined) throw new KaiError("E125", "A bare repository has no working tree to rehearse in.");
  await mkdir(folder, { mode: 0o700 });
  await runGitAround(folder, env, ["init", "--quiet", `--object-format=${objectFormat}`]);
  const gitDir = path.join(folder, ".git");
  await copyFile(path.join(commonDir, "config"), path.join(gitDir, "config"));
  await cp(path.join(commonDir, "info"), path.join(gitDir, "info"), { recursive: true }).catch(ignoreMissing);
  const copy = await openRepository(folder, env);
  await tryGit(copy, ["config", "--unset-all", "core.worktree"]);
  await writeFile(path.join(gitDir, "objects", "info", "alternates"), `${path.join(commonDir, "objects")}\n`);
  await copyRefs(repository, copy);
  await copyKaiFolder(repository, copy);
  await runGit(copy, ["reset", "--hard", "--quiet"]);
  const ignored = await findIgnored(repository, { workTree });
  const left = [await configuredRoot(repository, config), ...(await Promise.all(avoided.map(canonicalFolder)))];
  await copyPaths(
    workTree,
    folder,
    ignored.filter((name) => !left.some((each) => overlaps(workTree, name, each))),
    env,
  );
  const status = await readStatus(repository, "no");
  const state = await findStateFiles(repository, config.version_management.artifacts.state);
  for (const name of [...status.dirty, ...state]) await copyOne(workTree, folder, name, env);
}

/** What is deployed is copied apart, and rehearsals lie in the other. */
function overlaps(workTree: string, name: string, root: string | null): boolean {
  if (root === null) return false;
  const path = pathBelow(workTree, name).toString();
  const folder = `${root}/`;
  return path === root || path.startsWith(folder) || (path.endsWith("/") && folder.startsWith(path));
}

async function copyRefs(from: Repository, to: Repository): Promise<void> {
  const refs = await runGit(from, ["for-each-ref", "--format=create %(refname) %(objectname)"]);
  const branch = await tryGit(from, ["symbolic-ref", "--quiet", "HEAD"]);
  if (branch.exitCode === 0) await runGit(to, ["symbolic-ref", "HEAD", branch.stdout.toString().trim()]);
  await runGit(to, ["update-ref", "--stdin"], { input: refs });
  if (branch.exitCode !== 0) {
    const head = (await runGit(from, ["rev-parse", "HEAD"])).toString().trim();
    await runGit(to, ["update-ref", "--no-deref", "HEAD", head]);
  }
}

/** The pin, the caches and the store of large captures. */
async function copyKaiFolder(from: Repository, to: Repository): Promise<void> {
  const [source, target] = [kaiFolderOf(from), kaiFolderOf(to)];
  await makeFolder(target.root, 0o777);
  await copyFile(source.trust, target.trust);
  for (const name of ["cache", "state"]) {
    const flags = { recursive: true, mode: constants.COPYFILE_FICLONE };
    await cp(path.join(source.root, name), path.join(target.root, name), flags).catch(ignoreMissing);
  }
}

/** A path of the working tree (latin1) as it is now: file, link, or gone. A database is copied by SQLite. */
async function copyOne(from: string, to: string, name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [source, target] = [pathBelow(from, name), pathBelow(to, name)];
  const stat = await findStat(source);
  await rm(target, { force: true, recursive: true });
  if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) return;
  await makeFolder(pathBelow(to, name.slice(0, Math.max(0, name.lastIndexOf("/")))), 0o777);
  if (stat.isSymbolicLink()) return symlink(await readlink(source, "buffer"), target);
  const handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const database = await isSqlite(handle).finally(() => handle.close());
  // One that SQLite cannot read is no database to the rollback either, but bytes.
  if (!database || (await backUpSqlite(source, path.dirname(to), "database", env)) !== undefined) {
    return copyFile(source, target, constants.COPYFILE_FICLONE);
  }
  await copyFile(path.join(path.dirname(to), "database"), target);
  // Those of the original, where the folder that it lies in was copied as it is.
  for (const tail of SQLITE_SIBLINGS) await rm(Buffer.concat([target, Buffer.from(tail)]), { force: true });
  await rm(path.join(path.dirname(to), "database"));
}

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOENT") throw cause;
}
