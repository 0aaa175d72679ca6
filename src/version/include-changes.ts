import path from "node:path";
import { formatCommitPayload, formatSignedCommit } from "../git/commit-object.js";
import { type GitObject, makeObject } from "../git/object.js";
import { SYNCED_REFS } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { copyIndex } from "../operation/git-index.js";
import { type FileIdentity, identityOf } from "../operation/worktree-manifest.js";
import { makeFolder } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";

export interface IncludedChanges {
  readonly commit: GitObject;
  readonly tree: string;
  /** The whole new index, to be put in place with the branch, and what tells the one that it was made of. */
  readonly index: { readonly path: string; readonly seen: FileIdentity | null };
}

/** Makes a signed commit of everything in the working tree that is not ignored, on an index of its own. */
export async function includeChanges(
  repository: Repository & { workTree: string },
  request: { head: string; message: string; at: Date; scratch: string; inherit: readonly number[] },
  signer: Signer,
): Promise<IncludedChanges> {
  await makeFolder(request.scratch);
  const index = path.join(request.scratch, "index");
  const original = path.join(repository.gitDir, "index");
  const stat = await findStat(original);
  await copyIndex(original, index);
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
    message: request.message,
  });
  const signed = formatSignedCommit(payload, await signer.sign(payload, request.at), repository.objectFormat);
  return {
    commit: makeObject("commit", signed, repository.objectFormat),
    tree,
    index: { path: index, seen: stat === undefined ? null : identityOf(stat) },
  };
}
