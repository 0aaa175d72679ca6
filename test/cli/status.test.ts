import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { placeAt, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

test("status tells a branch from a detached HEAD", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await told(agent, "status")).toMatchObject({ branch: "refs/heads/main", unborn: false });
  agent.git("switch", "-q", "--detach");
  const head = agent.git("rev-parse", "HEAD");
  expect(await told(agent, "status")).toMatchObject({ branch: null, unborn: false, head });
  expect(await agent.kai("status")).toMatchInlineSnapshot(`
    ai.example.clerk  1.0.0 is in force
    HEAD is detached: \`git switch BRANCH\` goes to a branch.
    Nothing differs from it.
    [exit 0]
  `);
});

test("status tells a branch without a commit, in a new repository and in an agent", async () => {
  const { dir, env } = scratch();
  const fresh = placeAt(path.join(dir, "clerk"), env);
  execFileSync("git", ["init", "-q", "-b", "main", fresh.dir], { env });
  fresh.write("kai.yaml", "agent_id: ai.example.clerk\n");
  expect(await told(fresh, "status")).toMatchObject({ branch: "refs/heads/main", unborn: true, head: null });
  expect(await fresh.kai("status")).toMatchInlineSnapshot(`
    ai.example.clerk  what is in force is not known
    This clone lacks the log: \`git kai-version init\` fetches and adopts it.
    No commit yet: versions are made of what is committed.

    Differs from it:
      untracked  config      kai.yaml
    [exit 0]
  `);
  const agent = await agentWithVersions("1.0.0");
  agent.git("checkout", "-q", "--orphan", "other");
  expect(await told(agent, "status")).toMatchObject({ current: "1.0.0", branch: "refs/heads/other", unborn: true });
  expect((await agent.kai("status")).stdout).not.toContain("Nothing differs");
});

test("a bare repository whose HEAD names a branch without a commit says so", async () => {
  const agent = await agentWithVersions("1.0.0");
  const folder = path.join(path.dirname(agent.dir), "bare.git");
  agent.git("clone", "--quiet", "--mirror", agent.dir, folder);
  const bare = placeAt(folder, agent.env);
  bare.git("symbolic-ref", "HEAD", "refs/heads/other");
  expect(await bare.kai("status")).toMatchInlineSnapshot(`
    Error E125: HEAD names refs/heads/other, which has no commit yet: a bare repository has its kai.yaml there.
    Hint: Push that branch, or let HEAD name one that is here: \`git symbolic-ref HEAD refs/heads/BRANCH\`.
    [exit 1]
  `);
  expect(await refused(bare, "create")).toMatchObject({ code: "E125", exit: 1 });
  bare.git("symbolic-ref", "HEAD", "refs/heads/main");
  expect(await told(bare, "status")).toMatchObject({ current: "1.0.0", branch: "refs/heads/main", unborn: false });
});

test("status says where it does not know what is in force, and that init adopts the log", async () => {
  const agent = await agentWithVersions("1.0.0");
  const { dir, env } = scratch();
  const clone = placeAt(path.join(dir, "clone"), env);
  execFileSync("git", ["clone", "-q", agent.dir, clone.dir], { env, stdio: "pipe" });
  expect(await told(clone, "status")).toMatchObject({ current: null, problems: [{ code: "record-not-fetched" }] });
  expect(await clone.kai("status")).toMatchInlineSnapshot(`
    ai.example.clerk  what is in force is not known, 1.0.0 is the newest
    This clone lacks the log: \`git kai-version init\` fetches and adopts it.
    [exit 0]
  `);
});

test("status says where the tag `current` is not what the log says", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  expect(await told(agent, "status")).toMatchObject({ problems: [] });
  const current = agent.git("rev-parse", "refs/tags/current");
  agent.git("update-ref", "refs/tags/current", "v1.0.0");
  expect(await told(agent, "status")).toMatchObject({ current: "1.1.0", problems: [{ code: "current-moved" }] });
  agent.git("update-ref", "-d", "refs/tags/current");
  expect(await told(agent, "status")).toMatchObject({ current: "1.1.0", problems: [{ code: "current-missing" }] });
  expect((await agent.kai("status")).stdout).toContain("`git kai-version recover` puts it back");
  agent.git("update-ref", "refs/tags/current", current);
  expect(await told(agent, "status")).toMatchObject({ problems: [] });
});

test("the newest version that status names is none that was withdrawn", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "rollback", "1.0.0");
  expect(await told(agent, "status")).toMatchObject({ current: "1.0.0", latest: "1.0.0" });
  expect(await told(agent, "next")).toMatchObject({ latest: "1.1.0" });
});

test("nor one that was deprecated or archived", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await told(agent, "deprecate", "1.2.0", "--reason", "it forgets names");
  await told(agent, "archive", "1.1.0");
  expect(await told(agent, "status")).toMatchObject({ current: "1.2.0", latest: "1.0.0" });
});
