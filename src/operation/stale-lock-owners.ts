import path from "node:path";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import {
  environmentOf,
  findProcess,
  hasOpen,
  type LiveProcess,
  listProcesses,
  showsEverybody,
} from "../system/live-processes.js";
import { findStat } from "../system/path-bytes.js";
import { fileIdentity, liesIn, waysTo } from "../system/process-paths.js";

/** Variables that lead git to a repository, wherever it was started. */
const PLACES = ["GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"];

/**
 * Live processes that could have made one of `files` in the repository's git folders and need it still: whoever has it
 * open, and every git command that works in the repository, stands in one of its worktrees, or is led there by its command
 * line or its variables. Children of this process are not among them: they are ours. Undefined where the system does not tell.
 */
export async function findPossibleOwners(
  repository: Repository,
  files: readonly string[],
  workTree: string | undefined = repository.workTree,
): Promise<number[] | undefined> {
  const all = await listProcesses();
  const users = await usersOf(files);
  const ourUser = process.geteuid?.();
  if (all === undefined || ([...users].some((user) => user !== ourUser) && !(await showsEverybody()))) return undefined;
  const others = all.filter(({ id, parent }) => id !== process.pid && parent !== process.pid);
  const builtin = others.some(isGit) ? await listBuiltins(repository) : undefined;
  const git = others.filter((each) => isGit(each) && mayLock(each.args, builtin));
  const folders = await identitiesOf([repository.commonDir, repository.gitDir, repository.workTree, workTree]);
  const open = await identitiesOf(files);
  const owners = await Promise.all(
    others.map(async (each) => {
      const works = git.includes(each) && (await couldWorkIn(each, folders, users));
      return works || (await hasOpen(each.id, open)) ? each.id : undefined;
    }),
  );
  return owners.filter((id) => id !== undefined);
}

const isGit = ({ name }: LiveProcess): boolean => name === "git" || name.startsWith("git-");

/** Whether this is a command of git's own. Any other one (`git kai-version`, an alias) starts those and has no lock itself. */
export function mayLock(args: readonly string[], builtin: ReadonlySet<string> | undefined): boolean {
  const command = subcommandOf(args);
  return command === undefined || builtin === undefined || builtin.has(command);
}

/** Options of git that take their value from the next argument. */
const WITH_VALUE = new Set(["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--super-prefix"]);

/** `commit` of `git -C there commit -m x` and of `git-commit -m x`. */
function subcommandOf([program = "", ...args]: readonly string[]): string | undefined {
  const dashed = /^git-(?<command>.+)$/.exec(path.posix.basename(program))?.groups?.["command"];
  if (dashed !== undefined) return dashed;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (WITH_VALUE.has(arg)) at++;
    else if (!arg.startsWith("-")) return arg;
  }
  return undefined;
}

async function listBuiltins(repository: Repository): Promise<Set<string> | undefined> {
  const listed = await tryGit(repository, ["--list-cmds=builtins"]);
  return listed.exitCode === 0 ? new Set(listed.stdout.toString().trim().split("\n")) : undefined;
}

async function couldWorkIn(
  { id, args, fileUser }: LiveProcess,
  folders: ReadonlySet<string>,
  users: ReadonlySet<number>,
): Promise<boolean> {
  const variables = await environmentOf(id);
  // Where nobody may look, nothing is known but whose files it makes. The system also hides what has begun to end.
  if (variables === undefined) return users.has(fileUser) && (await findProcess(id)) !== undefined;
  const here = `/proc/${id}/cwd`;
  if (await liesIn(id, here, folders)) return true;
  const started = waysTo(id, variables.get("PWD") ?? "", []);
  const given = args.slice(1).flatMap((arg) => [arg, arg.slice(arg.indexOf("=") + 1)]);
  const named = PLACES.map((name) => variables.get(name) ?? "");
  for (const place of new Set([...named, ...given].flatMap((each) => waysTo(id, each, [here, ...started])))) {
    if (await liesIn(id, place, folders)) return true;
  }
  return false;
}

async function usersOf(files: readonly string[]): Promise<Set<number>> {
  const found = await Promise.all(files.map(findStat));
  return new Set(found.filter((each) => each !== undefined).map((each) => Number(each.uid)));
}

async function identitiesOf(files: readonly (string | undefined)[]): Promise<Set<string>> {
  const found = await Promise.all(files.map((file) => (file === undefined ? undefined : fileIdentity(file))));
  return new Set(found.filter((each) => each !== undefined));
}
