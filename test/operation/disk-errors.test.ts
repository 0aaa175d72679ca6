import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";
import { leftovers, observe } from "./observe.js";
import { COMMIT_POINT, runTraced, type Strike } from "./run-traced.js";

/** Where the disk fails a rollback before its commit point, and the beginning of what is said. */
const BEFORE: readonly [string, Strike, string][] = [
  ["a read-only file system", { at: 1, blow: "EROFS" }, "Error E118: The file system is read-only."],
  ["no permission", { match: "openat \\S*/kai/journal/", blow: "EACCES" }, "Error E118: Permission denied."],
  ["a full disk, met by git", { match: "git write \\S*/tmp_obj_", blow: "ENOSPC" }, "Error E118: The disk is full"],
  [
    "a full disk, met by us",
    { match: "node write \\S*/kai/staging/", blow: "ENOSPC" },
    "Error E118: The disk is full.",
  ],
  // Of a ref that it cannot write git says no more than that.
  ["a broken disk, at a sync of git", { match: "git fsync \\S*\\.lock", blow: "EIO" }, "Error E118: git fast-import"],
  ["a broken disk, at a sync of ours", { match: "node fsync \\S*/kai/journal/", blow: "EIO" }, "Error E118: "],
  ["a full disk at the commit point", { match: COMMIT_POINT, blow: "ENOSPC" }, "Error E116: git update-ref"],
];

for (const [name, strike, said] of BEFORE) {
  test(`${name}: nothing happened, and it is said`, async () => {
    const agent = await agentWithVersions("1.0.0", "1.1.0");
    const before = observe(agent);
    const ran = await runTraced(agent, ["rollback", "1.0.0"], strike);
    expect([ran.exit, ran.stderr.slice(0, said.length)]).toEqual([1, said]);
    expect(ran.stderr).toMatch(/^Hint: |^Error E116/m);
    expect(observe(agent)).toEqual(before);
    expect(leftovers(agent)).toEqual([]);
    expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  });
}

test("a broken disk where the folders of a deployment are made: nothing happened, and it is said", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: deployments}\n");
  agent.write(".gitignore", "deployments\n");
  await makeVersion(agent, "1.1.0", "feat: deploy here");
  const before = observe(agent);
  const ran = await runTraced(agent, ["deploy", "1.1.0"], { match: "node mkdir \\S*/git/info$", blow: "EIO" });
  expect([ran.exit, ran.stderr]).toEqual([1, expect.stringContaining("Error E118: ")]);
  expect(observe(agent)).toMatchObject({ refs: before.refs, status: before.status });
  expect(leftovers(agent)).toEqual([]);
});

test("a broken disk after the commit point: it happened, and recover puts the rest in place", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const ran = await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "EIO" });
  expect(ran.exit).toBe(4);
  expect(ran.stderr).toContain("Error E114: rollback v1.1.0 -> v1.0.0 is done, but not all of it is in place yet");
  expect(ran.stderr).toContain("`git kai-version recover`");
  expect((await agent.kai("recover")).stdout).toContain("had happened, and is whole now");
  expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", "v1.0.0^{tree}"));
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(leftovers(agent)).toEqual([]);
});

test("a disk that fails behind all of it, where the outcome is to be logged, hides no outcome", async () => {
  const agent = await agentWithVersions();
  const broken = "rmdir .git/kai/journal && touch .git/kai/journal";
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nlifecycle: {health: {run: "${broken}"}}\n`);
  for (const version of ["1.0.0", "1.1.0"]) await makeVersion(agent, version, `feat: ${version}`);
  const ran = (await agent.kai("rollback", "1.0.0", "--json")).json();
  expect(ran.to).toBe("1.0.0");
  expect(JSON.stringify(ran.steps)).toContain("The outcome could not be logged");
});
