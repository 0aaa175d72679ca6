import { readFile, stat } from "node:fs/promises";
import path from "node:path";

/** Which file this is, whatever the way to it: device and inode. Links are followed; undefined where nothing is. */
export async function fileIdentity(file: string | Buffer): Promise<string | undefined> {
  const seen = await stat(file, { bigint: true }).catch(() => undefined);
  return seen && `${seen.dev}:${seen.ino}`;
}

/** The ways in which a process may mean `given` (latin1 text): from its root, or from one of the folders it stands in. */
export function waysTo(id: number, given: string, folders: readonly string[]): string[] {
  if (given === "") return [];
  if (given.startsWith("/")) return [`/proc/${id}/root${given}`];
  return folders.map((folder) => `${folder}/${given}`);
}

/** No path is deeper, by far. */
const DEEPEST = 256;

/**
 * Whether `file` lies in one of these folders, or in a work tree whose `.git` file leads into one. It goes up by `..`, so
 * links, other mounts and other roots do not deceive it. `file` is latin1 text, seen as process `id` sees it.
 */
export async function liesIn(id: number, file: string, folders: ReadonlySet<string>): Promise<boolean> {
  const found = await stat(bytes(file)).catch(() => undefined);
  if (found === undefined) return false;
  let at = found.isDirectory() ? file : path.posix.dirname(file);
  let below: string | undefined;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const identity = await fileIdentity(bytes(at));
    if (identity === undefined || identity === below) return false;
    if (folders.has(identity)) return true;
    const linked = await linkedGitFolder(id, at);
    if (linked !== undefined && (await liesIn(id, linked, folders))) return true;
    below = identity;
    at = `${at}/..`;
  }
  return true;
}

/** Where the `.git` file of a linked worktree or a submodule leads; undefined where there is none. */
async function linkedGitFolder(id: number, folder: string): Promise<string | undefined> {
  const text = await readFile(bytes(`${folder}/.git`), "latin1").catch(() => "");
  const given = /^gitdir: (?<path>[^\n]+)/.exec(text)?.groups?.["path"];
  return given && waysTo(id, given, [folder])[0];
}

const bytes = (latin1: string): Buffer => Buffer.from(latin1, "latin1");
