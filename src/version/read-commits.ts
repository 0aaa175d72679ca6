import type { CommitText } from "../change/conventional-commit.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";

/** The commits that `to` has and `from` has not, newest first; all of them where `from` is null. */
export async function readCommits(repository: Repository, from: string | null, to: string): Promise<CommitText[]> {
  const range = from === null ? [to] : [to, `^${from}`];
  const out = await runGit(repository, [...PLAIN_LOG, "-z", "--format=%H%n%s%n%b", ...range, "--"]);
  const commits: CommitText[] = [];
  for (const part of out.toString().split("\0")) {
    if (part === "") continue;
    const [oid = "", subject = "", ...body] = part.split("\n");
    commits.push({ oid, subject, body: body.join("\n").trim() });
  }
  return commits;
}
