import { KaiError } from "../error.js";
import { listRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF } from "../operation/entry.js";
import { type InitialFiles, planInitialFiles } from "./initial-files.js";
import { readStatus, requireBranch, type WorkTreeStatus } from "./work-tree-status.js";

export interface FoundingWish {
  readonly agentId: string | undefined;
  /** Write the files and leave the commit to the user. */
  readonly commit: boolean;
  /** Found anew although a remote has a log. */
  readonly newRoot: boolean;
}

/** Everything that founding an agent needs beside a key; nothing of it is written yet. */
export interface PreparedFounding {
  readonly repository: Repository & { workTree: string };
  readonly status: WorkTreeStatus;
  readonly files: InitialFiles;
  /** Object id of a tag `current` that is to be put aside. */
  readonly strayCurrent: string | undefined;
  /** The branch that gets a commit; undefined where none is made. */
  readonly branch: string | undefined;
}

/** Decides what founding an agent here would write, without writing it. E125 where it cannot be founded. */
export async function prepareFounding(
  repository: Repository,
  progress: (message: string) => void,
  wish: FoundingWish,
): Promise<PreparedFounding> {
  const { workTree } = repository;
  if (workTree === undefined) {
    throw new KaiError("E125", "A bare repository has no working tree to write kai.yaml into.", {
      hint: "Run `git kai-version init` in a clone and push from there.",
    });
  }
  const strayCurrent = await findStrayCurrent(repository, wish.newRoot);
  const here = { ...repository, workTree };
  const status = await readStatus(here, "all");
  progress("Looking at the agent");
  const files = await planInitialFiles(here, status, wish.agentId);
  const branch = wish.commit && files.tree !== undefined ? requireBranch(status) : undefined;
  return { repository: here, status, files, strayCurrent, branch };
}

/** The tag `current` that is here before there is a log: E125 unless a new root is asked for, which puts it aside. */
async function findStrayCurrent(repository: Repository, newRoot: boolean): Promise<string | undefined> {
  const stray = (await listRefs(repository, [CURRENT_REF]))[0]?.id;
  if (stray === undefined || newRoot) return stray;
  throw new KaiError("E125", "A tag `current` is here, and no log made it: git kai-version needs that name.", {
    hint: "Give it another name: `git tag NAME current && git tag -d current`. If it came with an agent, fetch that agent's log from a clone that has it; `git kai-version init --new-root` puts the tag aside and founds another log.",
  });
}
