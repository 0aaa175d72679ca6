import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";

/** What git ignores there (latin1), a folder that holds nothing else with a slash behind it. */
export async function findIgnored(
  repository: Repository,
  { workTree, index }: { workTree: string; index?: string },
): Promise<string[]> {
  const env = { GIT_WORK_TREE: workTree, ...(index !== undefined && { GIT_INDEX_FILE: index }) };
  const args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
  const listed = await runGit(repository, args, { env, cwd: workTree });
  return listed
    .toString("latin1")
    .split("\0")
    .filter((name) => name !== "");
}
