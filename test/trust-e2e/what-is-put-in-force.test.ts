import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

test("a tag of another repository of the same signer is never put in force", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const other = await agentWithVersions("1.0.0", "1.5.0");
  agent.git("fetch", "-q", "--no-tags", other.dir, "refs/tags/v1.5.0:refs/tags/v1.5.0");
  const before = agent.git("rev-parse", "HEAD", "current");
  expect(await agent.kai("rollback", "1.5.0")).toMatchInlineSnapshot(`
    Error E101: v1.5.0 is corrupted: it is not the tag that the log made.
    Hint: \`git kai-version verify --deep\` shows all of it; choose another version.
    [exit 1]
  `);
  // Nor where it replaces a version of this one.
  agent.git("fetch", "-q", "--no-tags", other.dir, "+refs/tags/v1.0.0:refs/tags/v1.0.0");
  expect((await agent.kai("rollback", "1.0.0", "--force")).exit).toBe(1);
  expect(agent.git("rev-parse", "HEAD", "current")).toBe(before);
});

test("undo puts back the very tag that was in force, not one of its number", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("update-ref", "refs/tags/v1.0.0", agent.git("rev-parse", "refs/tags/v1.1.0").trim());
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    Error E101: The tag of 1.0.0, which was in force before, is not here.
    Hint: \`git kai-version verify --all\` shows what is missing.
    [exit 1]
  `);
});

test("a lightweight tag in a version's place is not taken for another tool's, whatever is forced", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("evil.py", "print('evil')\n");
  agent.commit("feat: evil");
  agent.git("update-ref", "refs/tags/v1.0.0", "HEAD");
  expect((await agent.kai("rollback", "1.0.0", "--force")).exit).toBe(1);
  expect((await agent.kai("rollback", "1.0.0", "--unproven")).exit).toBe(1);
});

test("a version of another tool needs its own word", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("tag", "v0.9.0", "HEAD~1");
  expect(await agent.kai("rollback", "0.9.0", "--force")).toMatchInlineSnapshot(`
    Error E101: v0.9.0 was made by another tool: nothing proves what it holds.
    Hint: \`git kai-version verify\` says what is known of it; \`--unproven\` goes back to it all the same.
    [exit 1]
  `);
});

test("what git is in the middle of is ended first: its next commit would have other parents than it began with", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("checkout", "-q", "-b", "other", "HEAD~1");
  agent.write("other.md", "other\n");
  agent.commit("feat: other");
  agent.git("checkout", "-q", "-");
  agent.git("merge", "-q", "--no-commit", "--no-ff", "-s", "ours", "other");
  const refused = await agent.kai("rollback", "1.0.0");
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("A merge is under way here")]);
  expect(refused.stderr).toContain("`git merge --quit` forgets it");
  agent.git("merge", "--quit");
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
});

test("a branch that another worktree stands on is not moved away under it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const branch = agent.git("symbolic-ref", "--short", "HEAD").trim();
  agent.git("worktree", "add", "-q", "--force", `${agent.dir}-second`, branch);
  const ran = await agent.kai("rollback", "1.0.0");
  rmSync(path.join(`${agent.dir}-second`), { recursive: true });
  expect(ran.exit).toBe(1);
  expect(ran.stderr).toContain("is checked out in");
});

test("what verify has seen may not be taken away again", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const older = agent.git("rev-parse", "refs/kai/log~1").trim();
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
  agent.git("update-ref", "refs/kai/log", older);
  expect((await agent.kai("verify")).exit).toBe(1);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(1);
  agent.git("update-ref", "refs/kai/log", agent.git("rev-list", "--max-parents=0", "refs/kai/log").trim());
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(1);
});

test("a deep look believes nothing that was found before", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect((await agent.kai("verify")).exit).toBe(0);
  const message = agent.git("cat-file", "tag", "v1.0.0").replace("1.0.0\n\n", "1.0.0, really\n\n");
  const forged = execFileSync("git", ["hash-object", "-t", "tag", "-w", "--stdin"], {
    cwd: agent.dir,
    env: agent.env,
    input: message,
  });
  const [signed, bad] = [agent.git("rev-parse", "v1.0.0").trim(), forged.toString().trim()];
  const cache = path.join(agent.dir, ".git", "kai", "cache", "signatures");
  const text = readFileSync(cache, "latin1");
  // As somebody who can write there would: the same verdict for another object, its check made anew.
  const [, ring = "", , length = ""] = /kai-verified\/1 (\S+) (\S+) (\d+)\n/.exec(text) ?? [];
  const body = text.slice(text.indexOf(`${length}\n`) + length.length + 1).replaceAll(signed, bad);
  const check = crc32(Buffer.from(ring + body, "latin1"))
    .toString(16)
    .padStart(8, "0");
  writeFileSync(cache, `\nkai-verified/1 ${ring} ${check} ${length}\n${body}`);
  agent.git("update-ref", "refs/tags/v1.0.0", bad);
  const outcome = async (...args: string[]) => {
    const { versions } = JSON.parse((await agent.kai("verify", "v1.0.0", "--json", ...args)).stdout);
    return versions[0].signature.outcome;
  };
  expect([await outcome(), await outcome("--deep")]).toEqual(["good", "bad"]);
});
