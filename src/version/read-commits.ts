import type { CommitText } from "../change/conventional-commit.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";

/** `-` marks a commit of the boundary: a parent of one in the range, itself outside, listed for its tree. */
const FORMAT = "%m%H %T %P%n%s%n%b";

/** The commits that `to` has and `from` has not, newest first; all of them where `from` is null. */
export async function readCommits(repository: Repository, from: string | null, to: string): Promise<CommitText[]> {
  const range = from === null ? [to] : [to, `^${from}`];
  const out = await runGit(repository, ["log", "-z", "--boundary", `--format=${FORMAT}`, ...range, "--"]);
  return parseCommits(out.toString());
}

/** Reads `git log -z --boundary` in the format above. */
export function parseCommits(text: string): CommitText[] {
  const trees = new Map<string, string>();
  const found: { oid: string; parents: string[]; subject: string; body: string }[] = [];
  for (const part of text.split("\0")) {
    if (part === "") continue;
    const [ids = "", subject = "", ...body] = part.split("\n");
    const [oid = "", tree = "", ...parents] = ids.slice(1).split(" ");
    trees.set(oid, tree);
    if (!ids.startsWith("-")) {
      found.push({ oid, parents: parents.filter((id) => id !== ""), subject, body: body.join("\n").trim() });
    }
  }
  return found.map(({ parents, ...commit }) => ({
    ...commit,
    // What a merge brings is said by the commits that it joins.
    changedFiles: parents.length < 2 && (parents[0] === undefined || trees.get(parents[0]) !== trees.get(commit.oid)),
  }));
}
