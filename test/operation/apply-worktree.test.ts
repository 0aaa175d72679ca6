import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { applyWorktree } from "../../src/operation/apply-worktree.js";
import { identityOf } from "../../src/operation/worktree-manifest.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

/** A working tree with the file `a`, and a staged one to take its place. */
async function staged() {
  const place = scratch();
  execFileSync("git", ["init", "-q"], { cwd: place.dir, env: place.env });
  const folder = path.join(place.dir, ".git/staged");
  for (const name of ["files", "removed"]) mkdirSync(path.join(folder, name), { recursive: true });
  const file = path.join(place.dir, "a");
  writeFileSync(file, "old\n");
  writeFileSync(path.join(folder, "files/a"), "new\n");
  const before = identityOf(lstatSync(file, { bigint: true }));
  const steps = [{ kind: "place", path: "a", before, aside: "0" }];
  writeFileSync(path.join(folder, "manifest"), JSON.stringify({ steps }));
  const repository = await openRepository(place.dir, place.env);
  const apply = () => applyWorktree(repository, { folder, gitDir: repository.gitDir, workTree: place.dir }, []);
  return { file, kept: path.join(folder, "removed/0"), apply, content: () => readFileSync(file, "utf8") };
}

test("the file that is replaced keeps another name until all is done", async () => {
  const { kept, apply, content } = await staged();
  expect(await apply()).toEqual([]);
  expect([content(), readFileSync(kept, "utf8")]).toEqual(["new\n", "old\n"]);
  expect(await apply()).toEqual([]);
});

test("cut short between the second name and the rename, it goes on", async () => {
  const { file, kept, apply, content } = await staged();
  linkSync(file, kept);
  expect(await apply()).toEqual([]);
  expect(content()).toBe("new\n");
});

test("an edit since then stays, wherever it was cut short", async () => {
  for (const cutShort of [false, true]) {
    const { file, kept, apply, content } = await staged();
    if (cutShort) linkSync(file, kept);
    appendFileSync(file, "mine\n");
    expect(await apply()).toEqual(["a"]);
    expect(content()).toBe("old\nmine\n");
  }
});

test("a rollback of many files leaves nothing behind, although what it replaced is removed after its end", async () => {
  const agent = await agentWithVersions();
  const names = Array.from({ length: 150 }, (_, index) => `prompts/many/${index}.md`);
  for (const version of ["1.0.0", "1.1.0"]) {
    for (const name of names) agent.write(name, `of ${version}\n`);
    agent.commit(`feat: prompts of ${version}`);
    expect((await agent.kai("create", "--as", version)).exit).toBe(0);
  }
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(names.every((name) => readFileSync(path.join(agent.dir, name), "utf8") === "of 1.0.0\n")).toBe(true);
  expect(agent.git("status", "--porcelain")).toBe("");
  const trash = path.join(agent.dir, ".git/kai/trash");
  expect(existsSync(trash)).toBe(true);
  while (readdirSync(trash).length > 0) await setTimeout(10);
  expect(readdirSync(path.join(agent.dir, ".git/kai/staging"))).toEqual([]);
});
