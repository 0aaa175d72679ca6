import path from "node:path";
import type { Repository } from "../git/repository.js";
import { makeFolder, syncFolder } from "../system/durable-file.js";

/** What is local to one clone: lock, journal, staging, caches. Lies in the common git folder, shared by its worktrees. */
export interface KaiFolder {
  readonly root: string;
  readonly lock: string;
  readonly journal: string;
  readonly staging: string;
  readonly cache: string;
  /** What operations replaced of the things that git ignores, by operation. */
  readonly replaced: string;
  /** Folders that are being removed. */
  readonly trash: string;
  /** The pinned first entry of the log and the highest one seen. */
  readonly trust: string;
  /** The operation behind whose commit point the agent is still to be asked how it is. */
  readonly unjudged: string;
  /** The folder of a deployment that the last operation made, until the next one has seen that it is in the log. */
  readonly placed: string;
}

export function kaiFolderOf(repository: Repository): KaiFolder {
  const root = path.join(repository.commonDir, "kai");
  return {
    root,
    lock: path.join(root, "lock"),
    journal: path.join(root, "journal"),
    staging: path.join(root, "staging"),
    cache: path.join(root, "cache"),
    replaced: path.join(root, "replaced"),
    trash: path.join(root, "trash"),
    trust: path.join(root, "trust.json"),
    unjudged: path.join(root, "unjudged"),
    placed: path.join(root, "placed"),
  };
}

/** Makes what is missing of it last: a journal that is synced is no use where the folder that names it is lost with the power. */
export async function makeKaiFolder({ root, journal, staging, cache }: KaiFolder): Promise<void> {
  const parents = new Set<string>();
  for (const each of [root, journal, staging, cache]) {
    if ((await makeFolder(each)) !== undefined) parents.add(path.dirname(each));
  }
  for (const parent of parents) await syncFolder(parent);
}
