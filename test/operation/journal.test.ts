import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseJournal } from "../../src/operation/journal.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { gitFile, leftovers, observe } from "./observe.js";
import { COMMIT_POINT, runTraced } from "./run-traced.js";

/** A rollback from 1.1.0 that was killed just after its commit point, or `after` calls behind that. */
async function interrupted(after: number): Promise<{ agent: Agent; journal: string }> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after, blow: "all" });
  const [name = ""] = readdirSync(gitFile(agent, "kai/journal"));
  return { agent, journal: gitFile(agent, path.join("kai/journal", name)) };
}

test("a last line that was torn off at any byte never counted", async () => {
  const { journal } = await interrupted(1);
  const text = readFileSync(journal, "utf8");
  const [begin = ""] = text.split("\n");
  expect(parseJournal(journal, text).prepared).toBeDefined();
  for (let length = begin.length + 1; length < text.length; length++) {
    expect(parseJournal(journal, text.slice(0, length)).prepared).toBeUndefined();
  }
});

test("torn before the commit point: what was prepared is taken back", async () => {
  const { agent, journal } = await interrupted(0);
  const before = agent.git("rev-parse", "HEAD", "current");
  truncateSync(journal, readFileSync(journal).length - 1);
  expect(await agent.kai("recover")).toMatchInlineSnapshot(`
    ✓ rollback <operation>: had not happened, and nothing of it is left
    [exit 0]
  `);
  expect(agent.git("rev-parse", "HEAD", "current")).toBe(before);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(leftovers(agent)).toEqual([]);
});

test("a line that was torn while the end was written is no damage to the next recovery", async () => {
  const { agent, journal } = await interrupted(1);
  writeFileSync(journal, `${readFileSync(journal, "utf8")}0123456789abcdef`);
  await runTraced(agent, ["recover"], { match: "unlink \\S*/kai/journal/", blow: "all" });
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", "v1.0.0^{tree}"));
});

test("a flipped bit is damage: every writing command refuses and nothing is changed", async () => {
  const { agent, journal } = await interrupted(1);
  const bytes = readFileSync(journal);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  writeFileSync(journal, bytes);
  const before = observe(agent);
  for (const command of [["recover"], ["create", "--allow-unchanged"], ["rollback", "1.0.0"], ["undo"]]) {
    const refused = await agent.kai(...command);
    expect([refused.exit, /E\d+/.exec(refused.stderr)?.[0]]).toEqual([4, "E115"]);
  }
  expect(observe(agent)).toEqual(before);
  expect(readFileSync(journal)).toEqual(bytes);
});

test("a journal that holds only its beginning, or its end too, goes", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: "openat \\S*/objects/", blow: "all" });
  expect((await agent.kai("recover")).stdout).toContain("had not happened");
  const done = await interrupted(0);
  await runTraced(done.agent, ["rollback", "1.0.0"], { match: "unlink \\S*/kai/journal/", after: 1, blow: "all" });
  expect((await done.agent.kai("recover")).exit).toBe(0);
  for (const each of [agent, done.agent]) {
    expect(leftovers(each)).toEqual([]);
    expect((await each.kai("verify", "--all")).exit).toBe(0);
  }
});

test("a copy of an interrupted repository never touches the one that it was copied from", async () => {
  const { agent } = await interrupted(1);
  const { copyAgent } = await import("../support/agent.js");
  const copy = copyAgent(agent);
  const before = observe(agent);
  await copy.kai("recover");
  expect(observe(agent)).toEqual(before);
  expect(copy.git("rev-parse", "HEAD^{tree}")).toBe(copy.git("rev-parse", "v1.0.0^{tree}"));
  expect((await copy.kai("recover")).exit).toBe(0);
});

test("a linked worktree that was removed since has nothing to be put in place", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const linked = path.join(path.dirname(agent.dir), "linked");
  agent.git("switch", "--quiet", "--detach");
  agent.git("worktree", "add", "--quiet", linked, "main");
  await runTraced({ dir: agent.dir, env: agent.env }, ["rollback", "1.0.0", "-C", linked], {
    match: COMMIT_POINT,
    after: 1,
    blow: "all",
  });
  await agent.run("rm", ["-rf", linked]);
  agent.git("worktree", "prune");
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(agent.git("rev-parse", "main^{tree}")).toBe(agent.git("rev-parse", "v1.0.0^{tree}"));
  expect(leftovers(agent)).toEqual([]);
});

test("whoever commits between the kill and the recovery keeps their commit, and is told", async () => {
  const { agent } = await interrupted(1);
  for (const name of leftovers(agent)) if (name.endsWith(".lock")) agent.remove(name);
  agent.write("theirs.md", "theirs\n");
  agent.git("add", "theirs.md");
  agent.git("commit", "--quiet", "-m", "docs: theirs");
  const theirs = agent.git("rev-parse", "HEAD");
  await runTraced(agent, ["recover"], { match: "unlink \\S*/kai/journal/", blow: "all" });
  const told = await agent.kai("recover");
  expect([told.exit, told.stderr]).toEqual([4, expect.stringContaining("refs/heads/main")]);
  expect(agent.git("rev-parse", "HEAD")).toBe(theirs);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(await agent.kai("recover")).toMatchInlineSnapshot(`
    Nothing was interrupted.
    [exit 0]
  `);
  expect(leftovers(agent)).toEqual([]);
});
