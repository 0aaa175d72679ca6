import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

function removeObject(agent: Agent, id: string): void {
  rmSync(path.join(agent.dir, ".git", "objects", id.slice(0, 2), id.slice(2)));
}

test("a tag whose object is missing is told and takes nothing else with it", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("tag", "-a", "-m", "gone", "v3.0.0");
  removeObject(agent, agent.git("rev-parse", "v3.0.0"));
  const empty = agent.git("commit-tree", "-m", "an orphan", "HEAD^{tree}");
  agent.git("tag", "-a", "-m", "of nothing", "v4.0.0", empty);
  removeObject(agent, empty);
  const list = (await agent.kai("list", "--json")).json();
  expect(list.versions.map((each: { version: string }) => each.version)).toEqual(["1.0.0"]);
  expect(list.skipped).toEqual(
    ["v3.0.0", "v4.0.0"].map((tag) => ({
      tag,
      reason: `its object is missing: fetch it again, or \`git tag -d ${tag}\`; its number stays reserved`,
    })),
  );
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: go on");
  expect((await agent.kai("create", "--as", "3.0.0")).stderr).toContain("E108");
  expect((await agent.kai("create", "--as", "5.0.0")).stderr).toBe("");
});

test("a good tag object under another name is not shown as good", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("update-ref", "refs/tags/v9.9.9", "refs/tags/v1.0.0");
  await agent.kai("verify", "--all");
  const { versions } = (await agent.kai("list", "--json")).json();
  expect(versions.map((each: { tag: string; signature: string }) => [each.tag, each.signature])).toEqual([
    ["v9.9.9", "unchecked"],
    ["v1.0.0", "good"],
  ]);
});

test("a version of another tool that nothing proves fails where it is named, and is counted once", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("tag", "v0.1.0");
  expect((await agent.kai("verify", "0.1.0")).stdout).toContain("0 of 1 version is proven, 1 failed.");
  expect((await agent.kai("verify", "--all")).stdout).toContain("1 of 2 versions are proven, 1 of other tools");
});

test("list says what verify found of tags of other tools, whatever that was", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("tag", "-a", "-m", "not signed", "v0.1.0");
  const sign = (tag: string, kind: string) => {
    const text = `${agent.git("cat-file", "tag", "v0.1.0").replace("tag v0.1.0", `tag ${tag}`)}\n-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;
    agent.write(".git/tag", text);
    agent.git("update-ref", `refs/tags/${tag}`, agent.git("hash-object", "-t", "tag", "-w", ".git/tag"));
  };
  sign("v0.2.0", "SSH SIGNATURE");
  sign("v0.3.0", "SIGNED MESSAGE");
  const found = async () =>
    (await told(agent, "list", "--reverse")).versions.map((each: { signature: string }) => each.signature);
  expect(await found()).toEqual(["unchecked", "unchecked", "unchecked", "unchecked"]);
  await told(agent, "verify", "--all");
  expect(await found()).toEqual(["unsigned", "unsupported-format", "unsupported-format", "good"]);
});

test("a tag in the way of a version's own is named with the way out, and nothing is left interrupted", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write(
    "kai.yaml",
    "agent_id: ai.example.clerk\nversion_management: {semantic_versioning: {tag_format: 'agents/clerk/{version}'}}\n",
  );
  agent.commit("feat: other names");
  agent.git("tag", "agents");
  const refused = await agent.kai("create", "--as", "1.1.0");
  expect(refused.stderr).toContain("'refs/tags/agents' exists; cannot create 'refs/tags/agents/clerk/1.1.0'");
  expect(refused.stderr).toContain("Hint: Git keeps no branch or tag below another one: rename the one that exists");
  expect((await agent.kai("status")).stdout).not.toContain("interrupted");
  expect((await agent.kai("recover")).exit).toBe(0);
  agent.git("tag", "-d", "agents");
  expect((await agent.kai("create", "--as", "1.1.0")).stderr).toBe("");
});
