import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { stageWorktree } from "../../src/operation/stage-worktree.js";
import { scratch } from "../support/scratch.js";

/** To the next full second of the clock. */
const nextSecond = () => setTimeout(1000 - (Date.now() % 1000) + 5);

/** A repository in which `a` was committed twice, and how to stage the way from the second commit to the first. */
async function committedTwice() {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trim();
  const write = (text: string) => writeFileSync(path.join(dir, "a"), text);
  git("init", "--quiet");
  for (const text of ["one\n", "two\n"]) {
    await nextSecond();
    write(text);
    git("add", "a");
    git("commit", "--quiet", "-m", text);
  }
  const repository = await openRepository(dir, env);
  const folder = path.join(dir, ".git/staged");
  const [from, to] = [git("rev-parse", "HEAD^{tree}"), git("rev-parse", "HEAD~1^{tree}")];
  const stage = () => stageWorktree({ ...repository, workTree: dir }, { from, to, saved: new Set() }, folder, []);
  return { folder, write, stage, git };
}

test("what is to be placed is staged where the files are what the index says", async () => {
  const { folder, stage } = await committedTwice();
  await stage();
  expect(readFileSync(path.join(folder, "files/a"), "utf8")).toBe("one\n");
  expect(existsSync(path.join(folder, "manifest"))).toBe(true);
});

test("an edit within the second in which git wrote the index is not taken for the file that git knows", async () => {
  const { stage, write } = await committedTwice();
  // Of the same length: all that tells it is that it is as new as the index.
  write("mine");
  await nextSecond();
  await expect(stage()).rejects.toMatchObject({ code: "E102", data: { paths: ["a"] } });
});

test("so is one of a file that git was told to take for unchanged", async () => {
  const { stage, write, git } = await committedTwice();
  git("update-index", "--assume-unchanged", "a");
  write("mine, and longer");
  await expect(stage()).rejects.toMatchObject({ code: "E102" });
});
