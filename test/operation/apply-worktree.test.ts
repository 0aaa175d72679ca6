import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { applyWorktree } from "../../src/operation/apply-worktree.js";
import { identityOf, type WorktreeStep } from "../../src/operation/worktree-manifest.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

const identityAt = (file: string) => identityOf(lstatSync(file, { bigint: true }));

/** A working tree with the file `a`, and a staged one to take its place. */
async function staged() {
  const { dir, folder, apply, plan } = await staging();
  const file = path.join(dir, "a");
  writeFileSync(file, "old\n");
  writeFileSync(path.join(folder, "files/a"), "new\n");
  const placed = identityAt(path.join(folder, "files/a"));
  plan({ kind: "place", path: "a", before: identityAt(file), placed, aside: "0" });
  const from = path.join(folder, "files/a");
  return { file, from, kept: path.join(folder, "removed/0"), apply, content: () => readFileSync(file, "utf8") };
}

/** A working tree, and a folder to stage for it in. */
async function staging() {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  const folder = path.join(dir, ".git/staged");
  for (const name of ["files", "removed"]) mkdirSync(path.join(folder, name), { recursive: true });
  const repository = await openRepository(dir, env);
  const plan = (...steps: WorktreeStep[]) => writeFileSync(path.join(folder, "manifest"), JSON.stringify({ steps }));
  const apply = () => applyWorktree(repository, { folder, gitDir: repository.gitDir, workTree: dir }, []);
  return { dir, folder, plan, apply };
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

test("an edit at the last moment before the rename stays, also where it was cut short behind that", async () => {
  const { file, from, kept, apply, content } = await staged();
  linkSync(file, kept);
  renameSync(from, file);
  appendFileSync(kept, "mine\n");
  expect(await apply()).toEqual(["a"]);
  expect(content()).toBe("old\nmine\n");
  expect(await apply()).toEqual([]);
  expect(content()).toBe("old\nmine\n");
});

test("a new file never takes the place of one that came since; cut short with both of its names, it goes on", async () => {
  for (const theirs of [true, false]) {
    const { dir, folder, apply, plan } = await staging();
    const [file, from] = [path.join(dir, "a"), path.join(folder, "files/a")];
    writeFileSync(from, "new\n");
    plan({ kind: "place", path: "a", before: null, placed: identityAt(from), aside: null });
    if (theirs) writeFileSync(file, "mine\n");
    else linkSync(from, file);
    expect(await apply()).toEqual(theirs ? ["a"] : []);
    expect(readFileSync(file, "utf8")).toBe(theirs ? "mine\n" : "new\n");
    expect(existsSync(from)).toBe(theirs);
  }
});

test("a file edited at the last moment before its removal comes back, with its folder", async () => {
  const { dir, folder, apply, plan } = await staging();
  const file = path.join(dir, "deep/down/a");
  const kept = path.join(folder, "removed/0");
  writeFileSync(kept, "old\n");
  plan({ kind: "remove", path: "deep/down/a", before: identityAt(kept), aside: "0" });
  appendFileSync(kept, "mine\n");
  expect(await apply()).toEqual(["deep/down/a"]);
  expect(readFileSync(file, "utf8")).toBe("old\nmine\n");
});

test("in a copy of the repository, what was put in place before stays in place", async () => {
  const { dir, folder, apply, plan } = await staging();
  const old = path.join(dir, "old");
  writeFileSync(old, "old\n");
  const before = identityAt(old);
  for (const name of ["removed/0", "removed/1"]) cpSync(old, path.join(folder, name), { preserveTimestamps: true });
  writeFileSync(path.join(dir, "a"), "new\n");
  const placed = identityAt(path.join(dir, "a"));
  plan({ kind: "remove", path: "b", before, aside: "0" }, { kind: "place", path: "a", before, placed, aside: "1" });
  expect(await apply()).toEqual([]);
  expect([existsSync(path.join(dir, "b")), readFileSync(path.join(dir, "a"), "utf8")]).toEqual([false, "new\n"]);
});

test("files that are one file by several names are replaced and removed, also after it was cut short", async () => {
  for (const cutShort of [false, true]) {
    const { dir, folder, apply, plan } = await staging();
    const names = ["a", "b", "c", "d"];
    writeFileSync(path.join(dir, "a"), "old\n");
    for (const name of ["b", "c", "d"]) linkSync(path.join(dir, "a"), path.join(dir, name));
    const seen = identityAt(path.join(dir, "a"));
    const steps = names.map((name, index): WorktreeStep => {
      const from = path.join(folder, "files", name);
      if (index < 2) return { kind: "remove", path: name, before: seen, aside: String(index) };
      writeFileSync(from, "new\n");
      return { kind: "place", path: name, before: seen, placed: identityAt(from), aside: String(index) };
    });
    plan(...steps);
    if (cutShort) renameSync(path.join(dir, "a"), path.join(folder, "removed/0"));
    expect(await apply()).toEqual([]);
    expect(names.map((name) => existsSync(path.join(dir, name)))).toEqual([false, false, true, true]);
    expect(["c", "d"].map((name) => readFileSync(path.join(dir, name), "utf8"))).toEqual(["new\n", "new\n"]);
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
