import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withoutRepository } from "../../src/git/environment.js";
import { fetchRefs } from "../../src/git/network.js";
import { listRefs } from "../../src/git/refs.js";
import { openRepository } from "../../src/git/repository.js";
import { runGit, runGitAround } from "../../src/git/run-git.js";
import { type Scratch, scratch } from "../support/scratch.js";

const git = ({ dir, env }: Scratch, ...args: string[]): string =>
  execFileSync("git", args, { cwd: dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();

test("a repository is found from a subfolder, in a folder with a space and a line feed", async () => {
  const place = scratch();
  const dir = path.join(place.dir, "my agent\nof two lines");
  mkdirSync(path.join(dir, "deep", "er"), { recursive: true });
  git({ ...place, dir }, "init", "-q");
  expect(await openRepository(path.join(dir, "deep/er"), place.env)).toMatchObject({
    gitDir: path.join(dir, ".git"),
    commonDir: path.join(dir, ".git"),
    workTree: dir,
    bare: false,
    shallow: false,
    objectFormat: "sha1",
  });
});

test("bare repositories and linked worktrees are told apart", async () => {
  const place = scratch();
  git(place, "init", "-q", "main");
  const main = { ...place, dir: path.join(place.dir, "main") };
  git(main, "commit", "-q", "--allow-empty", "-m", "x");
  git(main, "worktree", "add", "-q", "../linked");
  git(place, "clone", "-q", "--bare", "main", "bare.git");
  const linked = await openRepository(path.join(place.dir, "linked"), place.env);
  expect(linked).toMatchObject({
    gitDir: path.join(main.dir, ".git/worktrees/linked"),
    commonDir: path.join(main.dir, ".git"),
    workTree: path.join(place.dir, "linked"),
  });
  const bare = await openRepository(path.join(place.dir, "bare.git"), place.env);
  expect(bare).toMatchObject({ bare: true, workTree: undefined });
});

test.each([
  ["no repository", "", /is not in a git repository/],
  ["no folder", "nowhere", /There is no folder/],
])("%s is E104", async (_, below, message) => {
  const { dir, env } = scratch();
  const opened = openRepository(path.join(dir, below), { ...env, GIT_CEILING_DIRECTORIES: dir });
  await expect(opened).rejects.toMatchObject({ code: "E104", message: expect.stringMatching(message) });
});

test("a hook's variables tie to its repository, unless another one is named", async () => {
  const place = scratch();
  git(place, "init", "-q", "hooked");
  git(place, "init", "-q", "other");
  const hook = { ...place.env, GIT_DIR: path.join(place.dir, "hooked/.git"), GIT_INDEX_FILE: "elsewhere" };
  const hooked = path.join(place.dir, "hooked");
  expect((await openRepository(hooked, hook)).workTree).toBe(hooked);
  const other = path.join(place.dir, "other");
  const opened = await openRepository(other, withoutRepository(hook));
  expect(opened.workTree).toBe(other);
  expect(opened.env["GIT_INDEX_FILE"]).toBeUndefined();
});

test("no child of ours sees a key or a passphrase", async () => {
  const place = scratch();
  git(place, "init", "-q");
  const repository = await openRepository(place.dir, {
    ...place.env,
    KAI_SIGNING_KEY: "secret",
    KAI_KEY_PASSPHRASE: "secret",
  });
  expect(Object.values(repository.env)).not.toContain("secret");
});

test("settings that put words into git's output, or start a program for it, have no effect", async () => {
  const place = scratch();
  git(place, "init", "-q");
  git(place, "commit", "-q", "--allow-empty", "-m", "grüße");
  const program = path.join(place.dir, "gpg");
  writeFileSync(program, `#!/bin/sh\ntouch ${place.dir}/started\n`);
  chmodSync(program, 0o755);
  for (const [key, value] of [
    ["log.showSignature", "true"],
    ["gpg.program", program],
    ["i18n.logOutputEncoding", "ISO-8859-1"],
  ] as const) {
    git(place, "config", key, value);
  }
  const counted = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "kai.test", GIT_CONFIG_VALUE_0: "kept" };
  const repository = await openRepository(place.dir, { ...place.env, ...counted });
  expect((await runGit(repository, ["log", "--format=%s"])).toString()).toBe("grüße\n");
  expect((await runGit(repository, ["config", "kai.test"])).toString()).toBe("kept\n");
  expect((await runGit(repository, ["config", "log.showSignature"])).toString()).toBe("false\n");
});

test("no git of ours runs hooks, wherever they lie", async () => {
  const place = scratch();
  git(place, "init", "-q");
  git(place, "commit", "-q", "--allow-empty", "-m", "one");
  for (const folder of [".git/hooks", "hooks"]) {
    const hook = path.join(place.dir, folder, "reference-transaction");
    mkdirSync(path.dirname(hook), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\ntouch ${place.dir}/started\n`, { mode: 0o755 });
  }
  // As `git -c core.hooksPath=hooks kai-version …` hands it on, in both of the forms that git has had.
  const said = ["'core.hooksPath=hooks'", "'core.hooksPath'='hooks' 'alias.x'='log -1'"];
  for (const configured of [undefined, "hooks", ...said]) {
    if (configured === "hooks") git(place, "config", "core.hooksPath", "hooks");
    const env = { ...place.env, ...(configured?.startsWith("'") && { GIT_CONFIG_PARAMETERS: configured }) };
    const repository = await openRepository(place.dir, env);
    await runGit(repository, ["update-ref", "refs/heads/two", "HEAD"]);
    await fetchRefs(repository, env, ".", ["refs/heads/two:refs/heads/three"]);
    for (const name of ["two", "three"]) await runGit(repository, ["update-ref", "-d", `refs/heads/${name}`]);
  }
  expect(existsSync(path.join(place.dir, "started"))).toBe(false);
});

/** What a sandbox may have put into `docs` of a repository: git in there would run what it names as fsmonitor. */
function embeddedIn(place: Scratch): { docs: string; marker: string } {
  const docs = path.join(place.dir, "docs");
  const marker = path.join(place.dir, "executed");
  for (const folder of ["objects", "refs", "deep"]) mkdirSync(path.join(docs, folder), { recursive: true });
  writeFileSync(path.join(docs, "HEAD"), "ref: refs/heads/main\n");
  const core = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n`;
  writeFileSync(path.join(docs, "config"), `${core}\tfsmonitor = "touch '${marker}'; false"\n`);
  return { docs, marker };
}

test("a folder of a repository that git would take for another one is none: nothing of its configuration runs", async () => {
  const place = scratch();
  git(place, "init", "-q");
  const { docs, marker } = embeddedIn(place);
  mkdirSync(path.join(docs, "refs/inner/objects"), { recursive: true });
  mkdirSync(path.join(docs, "refs/inner/refs"));
  writeFileSync(path.join(docs, "refs/inner/HEAD"), "ref: refs/heads/main\n");
  const refused = { code: "E104", message: expect.stringContaining("may have come with the files of another one") };
  for (const tracked of [false, true]) {
    if (tracked) {
      git(place, "add", "docs");
      // Also where it says that it is bare, and could bring programs that fetch.
      git(place, "config", "--file", "docs/config", "core.bare", "true");
      git(place, "config", "--file", "docs/config", "--unset", "core.worktree");
    }
    for (const below of tracked ? [".", "deep", "refs/inner"] : [".", "deep"]) {
      const cwd = path.join(docs, below);
      await expect(openRepository(cwd, place.env)).rejects.toMatchObject(refused);
      await expect(runGitAround(cwd, place.env, ["status"])).rejects.toMatchObject(refused);
    }
  }
  expect(existsSync(marker)).toBe(false);
});

test("a repository that the user names is taken, and its fsmonitor is not started", async () => {
  const place = scratch();
  const { docs, marker } = embeddedIn(place);
  const named = await openRepository(docs, { ...place.env, GIT_DIR: docs });
  expect(named.gitDir).toBe(docs);
  await runGit(named, ["status", "--porcelain"]);
  expect(existsSync(marker)).toBe(false);
});

test("a bare repository of the user's is found from each of its folders, and so is a .git", async () => {
  const place = scratch();
  git(place, "init", "-q", "--bare", "foo.git");
  git(place, "init", "-q", "main");
  git(place, "init", "-q", "--bare", "main/untracked.git");
  for (const [folder, gitDir] of [
    ["main/untracked.git", "main/untracked.git"],
    ["foo.git", "foo.git"],
    ["foo.git/refs", "foo.git"],
    ["main/.git", "main/.git"],
    ["main/.git/refs", "main/.git"],
  ] as const) {
    const cwd = path.join(place.dir, folder);
    expect(await openRepository(cwd, place.env)).toMatchObject({ gitDir: path.join(place.dir, gitDir), bare: true });
    expect((await runGitAround(cwd, place.env, ["for-each-ref"])).toString()).toBe("");
  }
});

test("refs are listed with the bytes of annotated tags, whatever is in them", async () => {
  const place = scratch();
  git(place, "init", "-q");
  git(place, "commit", "-q", "--allow-empty", "-m", "x");
  git(place, "tag", "light");
  git(place, "tag", "-a", "-m", "line\n\nanother\n", "annotated");
  git(place, "tag", "-a", "-m", "of a tag", "nested", "annotated");
  git(place, "tag", "blob", git(place, "hash-object", "-w", "/dev/null"));
  git(place, "pack-refs", "--all");
  const refs = await listRefs(await openRepository(place.dir, place.env), ["refs/tags"]);
  const head = git(place, "rev-parse", "HEAD");
  expect(refs.map(({ name, type, peeled }) => [name, type, peeled?.id ?? null, peeled?.type])).toEqual([
    ["refs/tags/annotated", "tag", head, "commit"],
    ["refs/tags/blob", "blob", null, undefined],
    ["refs/tags/light", "commit", null, undefined],
    ["refs/tags/nested", "tag", head, "commit"],
  ]);
  expect(refs[0]?.latin1).toBe(`${git(place, "cat-file", "tag", "annotated")}\n`);
});

test("a git lock that somebody holds is told as such", async () => {
  const place = scratch();
  git(place, "init", "-q");
  git(place, "commit", "-q", "--allow-empty", "-m", "x");
  writeFileSync(path.join(place.dir, ".git/refs/heads/new.lock"), "");
  const repository = await openRepository(place.dir, place.env);
  await expect(runGit(repository, ["update-ref", "refs/heads/new", "HEAD"])).rejects.toMatchObject({ code: "E113" });
});
