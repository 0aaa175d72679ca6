import { KaiError } from "../error.js";
import type { Repository } from "./repository.js";
import { tryGit } from "./run-git.js";

/** Object id of a commit's tree. E125 where it is not here. */
export async function treeOf(repository: Repository, commit: string): Promise<string> {
  const found = await tryGit(repository, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{tree}`]);
  if (found.exitCode === 0) return found.stdout.toString().trim();
  throw commitIsNotHere(commit);
}

/** E125 for a commit that something names and that was not fetched. */
export const commitIsNotHere = (commit: string): KaiError =>
  new KaiError("E125", `The commit ${commit} is not in this repository.`, {
    hint: "Fetch it first; in a shallow clone `git fetch --unshallow` brings it.",
  });
