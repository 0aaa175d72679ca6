import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { RefTransactions, updateRefs } from "../../src/git/ref-transaction.js";
import { openRepository } from "../../src/git/repository.js";
import { scratch } from "../support/scratch.js";

/** A repository with two commits, and refs that lead to other refs. */
async function linked() {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trim();
  git("init", "-q", "-b", "main");
  const commit = () => {
    git("commit", "-q", "--allow-empty", "-m", "one");
    return git("rev-parse", "HEAD");
  };
  const [one, two] = [commit(), commit()];
  git("tag", "v1.0.0", one);
  git("symbolic-ref", "refs/tags/current", "refs/tags/v1.0.0");
  git("symbolic-ref", "refs/heads/other", "refs/heads/main");
  return { repository: await openRepository(dir, env), git, one, two };
}

test("a tag that leads to another one is replaced, by each of the two ways", async () => {
  const { repository, git, one, two } = await linked();
  const change = { ref: "refs/tags/current", old: one, new: two };
  await updateRefs(repository, [change]);
  expect([git("rev-parse", "v1.0.0"), git("rev-parse", "current")]).toEqual([one, two]);
  git("symbolic-ref", "refs/tags/current", "refs/tags/v1.0.0");
  const refs = new RefTransactions(repository, []);
  await refs.prepare([change]);
  await refs.commit();
  expect([git("rev-parse", "v1.0.0"), git("rev-parse", "current")]).toEqual([one, two]);
  git("symbolic-ref", "refs/tags/current", "refs/tags/v1.0.0");
  await updateRefs(repository, [{ ref: "refs/tags/current", old: one, new: null }]);
  expect(git("tag")).toBe("v1.0.0");
});

test("a branch that is another name of one stays so", async () => {
  const { repository, git, one, two } = await linked();
  await updateRefs(repository, [{ ref: "refs/heads/other", old: two, new: one }]);
  expect([git("rev-parse", "main"), git("symbolic-ref", "refs/heads/other")]).toEqual([one, "refs/heads/main"]);
});

test("a ref that somebody else moved meanwhile is named, and the way on", async () => {
  const { repository, git, one, two } = await linked();
  const refs = new RefTransactions(repository, []);
  await expect(refs.prepare([{ ref: "refs/heads/main", old: one, new: two }])).rejects.toMatchObject({
    code: "E116",
    message: expect.stringContaining("refs/heads/main"),
    hint: "Somebody else moved it at this moment, such as by a commit: run it again.",
  });
  expect(git("rev-parse", "main")).toBe(two);
});
