import { copyFile, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { formatCommitPayload } from "../git/commit-object.js";
import { makeObject } from "../git/object.js";
import { SYNCED_REFS, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { writeObjects } from "../git/write-objects.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Signer } from "../trust/signer.js";
import type { WorkTreeStatus } from "../version/work-tree-status.js";

export interface Backup {
  readonly ref: string;
  readonly commit: string;
  /** Paths (latin1) whose bytes it holds. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Saves every changed and untracked file as a commit on `refs/kai/backup/<operation>` before it may be overwritten;
 * undefined where there is none. `git checkout refs/kai/backup/<operation> -- PATH` brings one back.
 */
export async function backUpChanges(
  repository: Repository & { workTree: string },
  status: WorkTreeStatus,
  request: { operation: string; head: string; at: Date; inherit: readonly number[] },
  signer: Signer,
): Promise<Backup | undefined> {
  const paths = [...status.dirty, ...status.untracked];
  if (paths.length === 0) return undefined;
  const scratch = path.join(kaiFolderOf(repository).staging, `backup-${request.operation}`);
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    const index = path.join(scratch, "index");
    await copyFile(path.join(repository.gitDir, "index"), index);
    const options = {
      env: { GIT_INDEX_FILE: index },
      inherit: request.inherit,
      config: [...SYNCED_REFS, "core.splitIndex=false", "core.fsmonitor=false"],
    };
    await runGit(repository, ["add", "--all"], options);
    const tree = (await runGit(repository, ["write-tree"], options)).toString().trim();
    const payload = formatCommitPayload({
      tree,
      parents: [request.head],
      who: signer,
      at: request.at,
      message: `Backup before operation ${request.operation}`,
    });
    const commit = makeObject("commit", payload, repository.objectFormat);
    await writeObjects(repository, [commit], request.inherit);
    const ref = `refs/kai/backup/${request.operation}`;
    await updateRefs(repository, [{ ref, old: null, new: commit.id }], { inherit: request.inherit });
    return { ref, commit: commit.id, paths: new Set(paths) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
