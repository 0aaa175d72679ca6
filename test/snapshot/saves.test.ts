import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { isRootless } from "../../src/snapshot/is-rootless.js";
import { removeSandboxFolder } from "../../src/snapshot/sandbox/sandbox-folder.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

async function changed(agent: SnapshotAgent, script: string): Promise<string> {
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-ec", script);
  return id;
}

const refOf = (id: string) => `refs/kai/snapshots/${id}`;

const saves = ({ git }: SnapshotAgent) => git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/kai/snapshots");

test("what was saved is found when its snapshot is gone, begun with again, and removed when that is asked for", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo one > one.txt");
  const first = await agent.made("save", id);
  await agent.made("exec", id, "--", "sh", "-c", "mv one.txt two.txt");
  const second = await agent.made("save", id);
  // The one before stays in reach.
  expect(agent.git("rev-parse", `${refOf(id)}^1`, `${refOf(id)}^2`).split("\n")).toEqual([
    agent.git("rev-parse", "v1.1.0^{commit}"),
    first.commit,
  ]);
  expect(await agent.made("list")).toMatchObject({ total: 1, gone: [] });
  expect(await agent.made("destroy", id)).toMatchObject({ id, removedSave: null });

  const gone = { id, version: "1.1.0", tag: "v1.1.0", status: "gone", saved: second.commit };
  expect(await agent.made("list")).toMatchObject({ total: 0, snapshots: [], gone: [gone] });
  expect((await agent.snapshot("list")).stdout).toMatch(new RegExp(`${id} +1\\.1\\.0 +gone`));
  expect(await agent.made("show", id.slice(-8))).toMatchObject(gone);
  expect((await agent.snapshot("show", id)).stdout).toContain(`snapshot create ${refOf(id)}`);
  expect(await agent.refused("show", "01ZZZZ")).toMatchObject({ code: "E101" });
  expect(await agent.refused("destroy", id)).toMatchObject({ code: "E101" });

  const { id: again } = await agent.made("create", refOf(id));
  expect(await agent.made("exec", again, "--", "cat", "two.txt")).toMatchObject({ stdout: "one\n" });
  expect(await agent.refused("destroy", id, "--saves")).toMatchObject({ code: "E125" });
  await agent.made("destroy", again);
  const removed = await agent.snapshot("destroy", id, "--saves");
  expect(removed).toMatchObject({ exit: 0, stdout: expect.stringContaining(second.commit.slice(0, 10)) });
  expect(saves(agent)).toBe("");
  expect(await agent.made("list")).toMatchObject({ gone: [] });
});

test("of a snapshot whose folder is lost is said to be kept only what was saved", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const { id: saved } = await agent.made("create", "1.1.0");
  await agent.made("exec", saved, "--", "sh", "-c", "echo x > x.txt");
  await agent.made("save", saved);
  const lost = async (each: string) => {
    execFileSync("podman", ["rm", "--force", "--time", "0", `kai-${each.toLowerCase()}`], { env: agent.env });
    const host = { rootless: isRootless(), env: agent.env };
    await removeSandboxFolder(path.join(agent.tempDir, `kai-snapshot.${each}`), host);
    return agent.refused("diff", each);
  };
  const destroy = (each: string) => `\`git kai-version snapshot destroy ${each}\` takes the rest away.`;
  expect(await lost(id)).toMatchObject({ code: "E103", hint: `Nothing was saved of it. ${destroy(id)}` });
  expect(await lost(saved)).toMatchObject({
    code: "E103",
    hint: `What was saved of it is kept: \`git log refs/kai/snapshots/${saved}\`. ${destroy(saved)}`,
  });
});

test("a snapshot goes together with what was saved of it, unless another one stands on that", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo one > one.txt");
  const { commit } = await agent.made("save", id);
  const { id: upper } = await agent.made("create", "1.1.0", "--base", id);
  expect(await agent.refused("destroy", id, "--saves")).toMatchObject({ code: "E125" });
  expect(await agent.made("show", id)).toMatchObject({ status: "ready" });
  await agent.made("destroy", upper);
  expect(await agent.made("destroy", id, "--saves")).toMatchObject({ id, status: "ready", removedSave: commit });
  expect(saves(agent)).toBe("");
});

test("a save stays while a snapshot stands on one before it", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo one > one.txt");
  const first = await agent.made("save", id);
  await agent.made("exec", id, "--", "sh", "-c", "mv one.txt two.txt");
  await agent.made("save", id);
  await agent.made("destroy", id);
  for (const asked of [
    ["create", "1.1.0", "--base", id],
    ["destroy", id],
    ["diff", id],
  ]) {
    expect(await agent.refused(...asked)).toMatchObject({
      code: "E101",
      message: expect.stringContaining("is gone"),
      hint: expect.stringContaining(`snapshot create refs/kai/snapshots/${id}`),
    });
  }
  const { id: upper } = await agent.made("create", first.commit);
  expect(await agent.made("prune", "--saves")).toMatchObject({ saves: [] });
  expect(await agent.refused("destroy", id, "--saves")).toMatchObject({ code: "E125" });
  expect(saves(agent)).toBe(id);
  // One of the version itself, whose commit is below every save of it, keeps none.
  await agent.made("destroy", upper);
  await agent.made("create", "1.1.0");
  expect(await agent.made("prune", "--saves")).toMatchObject({ saves: [{ id }] });
});

test("prune removes a save whose every file a branch has; any other only when that is asked for", async () => {
  const agent = await snapshotAgent();
  const twice = await changed(agent, "echo lost > new.txt");
  await agent.made("save", twice);
  await agent.made("exec", twice, "--", "sh", "-c", "echo new > new.txt");
  await agent.made("save", twice);
  const once = await changed(agent, "echo new > new.txt");
  const { commit } = await agent.made("save", once);
  await agent.made("commit", once);
  for (const id of [twice, once]) await agent.made("destroy", id);
  const foreign = "of-somebody";
  agent.git("update-ref", refOf(foreign), "HEAD");

  const found = { id: once, commit, reason: "a branch or tag has its files" };
  expect(await agent.made("prune", "--dry-run")).toMatchObject({ saves: [found] });
  expect(saves(agent)).toBe([twice, once, foreign].join("\n"));
  expect(await agent.made("prune")).toMatchObject({ saves: [found] });
  // One of the two saves is nowhere else.
  expect(saves(agent)).toBe([twice, foreign].join("\n"));

  // What is saved by the very prune stays.
  const dying = await changed(agent, "echo precious > precious.txt");
  execFileSync("podman", ["kill", ...agent.left().containers], { env: agent.env });
  const { pruned, saves: went } = await agent.made("prune", "--all", "--saves");
  expect(pruned).toMatchObject([{ id: dying, kept: expect.any(String) }]);
  expect(went).toMatchObject([{ id: twice, reason: "nothing else has its files" }]);
  expect(saves(agent)).toBe([dying, foreign].join("\n"));
});
