import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";
import { doEverything, placeAt, readEverything, refsOf, refused, told } from "./place.js";

async function clerk(...versions: string[]) {
  const agent = await agentWithVersions(...versions);
  return placeAt(agent.dir, agent.env);
}

/** An empty git repository, in a folder of this name. */
function emptyRepository(name: string, ...options: string[]) {
  const { dir, env } = scratch();
  const place = placeAt(path.join(dir, name), env);
  mkdirSync(place.dir, { recursive: true });
  place.git("init", "-q", "-b", "main", ...options);
  return place;
}

test("a SHA-256 repository in a folder with a blank, a line feed and a letter beyond ASCII", async () => {
  const place = emptyRepository("mein\nAgent ü", "--object-format=sha256");
  place.write("logic.py", "print('hello')\n");
  place.commit("feat: hello");
  expect(await told(place, "init", "--yes", "--agent-id", "x")).toMatchObject({
    outcome: "founded",
    written: ["kai.yaml"],
  });
  expect((await told(place, "create")).commit).toMatch(/^[0-9a-f]{64}$/);
  await doEverything(place, "1.0.0", "1.1.0");
  place.git("gc", "--quiet", "--prune=now");
  await readEverything(place);
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
});

test("a linked worktree is as good as the main one, and a branch checked out elsewhere stays", async () => {
  const main = await clerk("1.0.0");
  const dir = path.join(path.dirname(main.dir), "linked");
  main.git("worktree", "add", "-q", "-b", "work", dir);
  const linked = placeAt(dir, main.env);
  await doEverything(linked, "1.0.0", "1.1.0");
  expect(main.git("symbolic-ref", "HEAD")).toBe("refs/heads/main");
  expect(main.git("status", "--porcelain")).toBe("");
  expect(await told(main, "current")).toMatchObject({ version: "1.1.0" });
  expect(main.git("fsck", "--strict", "--no-dangling")).toBe("");
});

test("a bare repository is read and versioned; what wants a working tree says so", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const dir = path.join(path.dirname(place.dir), "bare.git");
  place.git("clone", "-q", "--mirror", place.dir, dir);
  const bare = placeAt(dir, place.env);
  expect(await told(bare, "init")).toMatchObject({ outcome: "adopted", agentId: "ai.example.clerk" });
  await readEverything(bare);
  expect(await told(bare, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.1" });
  const before = refsOf(bare);
  expect(await bare.kai("rollback", "1.0.0")).toMatchInlineSnapshot(`
    Error E125: A bare repository has no working tree to put files into.
    Hint: Run it in a clone and push from there.
    [exit 1]
  `);
  expect(refsOf(bare)).toBe(before);
  const empty = emptyRepository("empty.git", "--bare");
  expect(await refused(empty, "init")).toMatchObject({ code: "E125" });
});

test("a branch without commits, and a detached HEAD", async () => {
  const place = emptyRepository("unborn");
  place.write("logic.py", "print('hello')\n");
  expect(await refused(place, "create")).toMatchObject({ code: "E105" });
  expect(await told(place, "init", "--yes")).toMatchObject({ outcome: "founded", written: ["kai.yaml"] });
  place.git("switch", "-q", "--orphan", "nothing");
  place.git("checkout", "-q", "main", "--", "kai.yaml");
  expect(await refused(place, "create")).toMatchObject({ code: "E125", message: "This branch has no commit yet." });
  place.git("reset", "-q", "--hard");
  place.git("switch", "-q", "main");
  place.write("logic.py", "print('hello')\n");
  place.commit("feat: hello");
  place.git("checkout", "-q", "--detach");
  expect(await told(place, "create")).toMatchObject({ version: "1.0.0", current: true });
  place.write("logic.py", "print('good day')\n");
  place.commit("feat: politeness");
  expect(await told(place, "create")).toMatchObject({ version: "1.1.0" });
  expect(await refused(place, "rollback", "1.0.0")).toMatchObject({
    code: "E125",
    message: expect.stringContaining("detached"),
  });
  place.write("logic.py", "print('bye')\n");
  expect(await refused(place, "create", "--include-changes")).toMatchObject({ code: "E125" });
});

test("merges are gone back over by one commit, and ask for nothing themselves", async () => {
  const place = await clerk("1.0.0");
  place.git("switch", "-q", "-c", "topic");
  place.write("topic.py", "x = 1\n");
  place.commit("fix: on a branch");
  place.git("switch", "-q", "main");
  place.write("main.py", "x = 2\n");
  place.commit("fix: on main");
  place.git("merge", "-q", "--no-ff", "-m", "Merge branch 'topic'", "topic");
  place.git("commit", "-q", "--allow-empty", "-m", "chore: nothing");
  const next = await told(place, "next");
  expect(next.reasons.map((each: { rule: string }) => each.rule)).toEqual(["commit-fix", "commit-fix"]);
  expect(await told(place, "create")).toMatchObject({ version: "1.0.1" });
  await told(place, "rollback", "1.0.0");
  expect(place.git("diff", "v1.0.0", "HEAD", "--stat")).toBe("");
  expect(place.git("rev-list", "--parents", "-1", "HEAD").split(" ")).toHaveLength(2);
  expect(place.git("log", "-1", "--format=%b")).toMatch(/(This reverts commit [0-9a-f]{40}\.\n){4}/);
});

test("commits that change nothing are nothing new, and ask for no bump", async () => {
  const place = await clerk("1.0.0");
  place.git("commit", "-q", "--allow-empty", "-m", "just words");
  expect((await told(place, "next")).required).toBe("none");
  expect(await refused(place, "create")).toMatchObject({ code: "E109" });
});

test("from a subfolder, under an alias, by -C, and as kai with the agent's name", async () => {
  const place = await clerk("1.0.0");
  place.git("config", "alias.kv", "kai-version");
  place.git("config", "alias.kb", "!git kai-version");
  const below = path.join(place.dir, "prompts");
  const said = async (file: string, args: string[], cwd: string, env = {}) =>
    (await place.run(file, args, { cwd, env })).toString();
  for (const args of [
    ["kai-version", "current"],
    ["kv", "current"],
    ["kb", "current"],
  ]) {
    expect(await said("git", args, below)).toBe("1.0.0\n[exit 0]");
  }
  const base = path.dirname(place.dir);
  expect(await said("git", ["kai-version", "-C", "clerk/tools", "current"], base)).toBe("1.0.0\n[exit 0]");
  expect(await said("git", ["-C", "clerk", "kai-version", "current"], base)).toBe("1.0.0\n[exit 0]");
  expect(await said("kai", ["current", "clerk"], "/", { KAI_AGENTS: base })).toBe("1.0.0\n[exit 0]");
  place.write("logic.py", "print('by kai')\n");
  place.commit("fix: by kai");
  expect(await said("kai", ["create", "clerk"], "/", { KAI_AGENTS: base })).toMatch(/Created v1\.0\.1/);
  expect(await said("kai", ["rollback", "clerk", "--to", "v1.0.0"], "/", { KAI_AGENTS: base })).toMatch(
    /Rolled back 1\.0\.1 -> 1\.0\.0/,
  );
  const nobody = await said("kai", ["current", "nobody"], "/", { KAI_AGENTS: base });
  expect(nobody).toContain(`Error E104: There is no agent nobody in ${base}.`);
  expect(nobody).toContain("[exit 1]");
});

test("from inside hooks: of the agent itself, and of another repository by -C", async () => {
  const place = await clerk("1.0.0");
  const hook = (at: ReturnType<typeof placeAt>, name: string, script: string) => {
    at.write(`.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(at.dir, ".git/hooks", name), 0o755);
  };
  hook(place, "post-commit", "git kai-version create >&2");
  place.write("logic.py", "print('from a hook')\n");
  place.commit("feat: from a hook");
  expect(await told(place, "current")).toMatchObject({ version: "1.1.0", commit: place.git("rev-parse", "HEAD") });
  expect(place.git("status", "--porcelain")).toBe("");
  hook(place, "post-commit", "");

  const other = emptyRepository("other");
  const bare = emptyRepository("remote.git", "--bare");
  other.git("remote", "add", "origin", bare.dir);
  const asked = `cd / && git kai-version -C '${place.dir}' verify && git kai-version -C '${place.dir}' create --allow-unchanged`;
  hook(other, "post-commit", asked);
  hook(other, "pre-push", `${asked} >&2`);
  const withKey = { ...other.env, KAI_HOME: place.env["KAI_HOME"] ?? "" };
  const hooked = placeAt(other.dir, withKey);
  hooked.write("file", "x\n");
  hooked.git("add", "--all");
  // `git commit -- FILE` hands an index of its own to hooks.
  hooked.git("commit", "-q", "-m", "with GIT_INDEX_FILE", "--", "file");
  expect(await told(place, "current")).toMatchObject({ version: "1.1.1" });
  hooked.git("push", "-q", "origin", "main");
  expect(await told(place, "current")).toMatchObject({ version: "1.1.2" });
  expect(other.git("for-each-ref", "refs/kai", "refs/tags", "refs/notes")).toBe("");
  expect(other.git("status", "--porcelain")).toBe("");
});
