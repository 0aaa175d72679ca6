import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = path.resolve("bin/git-kai-version");

async function changed(agent: SnapshotAgent, script: string): Promise<string> {
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-ec", script);
  return id;
}

/** All that a command could have changed in the repository and beside it. */
const stateOf = ({ git, dir }: SnapshotAgent) => [
  git("for-each-ref"),
  git("status", "--porcelain", "--untracked-files=all"),
  readFileSync(path.join(dir, "state.json"), "utf8"),
];

/** The error that it must be refused with, nothing being changed. */
async function refusal(agent: SnapshotAgent, id: string, ...options: string[]) {
  const before = stateOf(agent);
  const error = await agent.refused("commit", id, "--version", ...options);
  expect(stateOf(agent)).toEqual(before);
  expect(await agent.made("show", id)).toMatchObject({ status: "ready", committed: null });
  return error;
}

test("--version makes the changes a version in one operation, as create would, and undo takes it back whole", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo new > new.txt; rm prompts/system.md");
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  config.version_management = { artifacts: { state: { include: ["state.json"] } } };
  agent.write("kai.yaml", JSON.stringify(config));
  agent.write("other.txt", "of the branch\n");
  agent.commit("fix: another");
  const [head, operations] = [
    agent.git("rev-parse", "HEAD"),
    (await agent.kai("log", "--json")).json().operations.length,
  ];

  const before = stateOf(agent);
  const foreseen = await agent.made("commit", id, "--version", "-m", "feat: new", "--dry-run");
  expect(foreseen).toMatchObject({ operation: null, commit: null, created: { version: "1.2.0", current: true } });
  expect(stateOf(agent)).toEqual(before);

  const done = await agent.made("commit", id, "--version", "-m", "feat: new");
  expect(done).toMatchObject({
    branch: "main",
    created: { version: "1.2.0", tag: "v1.2.0", current: true },
    changed: [
      { path: "new.txt", change: "added" },
      { path: "prompts/system.md", change: "deleted" },
    ],
  });
  expect(agent.git("rev-parse", "v1.2.0^{commit}", "HEAD", "HEAD~1")).toBe(`${done.commit}\n${done.commit}\n${head}`);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(readFileSync(path.join(agent.dir, "new.txt"), "utf8")).toBe("new\n");
  expect(readFileSync(path.join(agent.dir, "other.txt"), "utf8")).toBe("of the branch\n");
  expect(existsSync(path.join(agent.dir, "prompts/system.md"))).toBe(false);
  const log = (await agent.kai("log", "--json")).json();
  expect(log.operations).toHaveLength(operations + 1);
  expect(log.operations[0]).toMatchObject({ id: done.operation, kind: "create", from: "1.1.0", to: "1.2.0" });
  expect((await agent.kai("show", "1.2.0", "--json")).json()).toMatchObject({
    record: { changelog: [{ description: "new" }, { description: "another" }] },
  });
  expect(agent.git("cat-file", "blob", "refs/kai/state/v1.2.0:files/0")).toContain("seen");
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
  expect(await agent.made("show", id)).toMatchObject({ status: "committed", committed: done.commit });

  expect((await agent.kai("undo")).exit).toBe(0);
  expect(existsSync(path.join(agent.dir, "new.txt"))).toBe(false);
  expect(existsSync(path.join(agent.dir, "prompts/system.md"))).toBe(true);
  expect(readFileSync(path.join(agent.dir, "other.txt"), "utf8")).toBe("of the branch\n");
  expect((await agent.kai("current")).stdout.trim()).toBe("1.1.0");
  expect((await agent.kai("list", "--match", "1.2.0", "--json")).json()).toMatchObject({
    versions: [{ status: "withdrawn" }],
  });
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
  await agent.made("destroy", id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("where it is refused nothing of it is there: no commit, no tag, no file", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo theirs > prompts/system.md; echo new > new.txt");
  agent.write("prompts/system.md", "ours\n");
  const dirty = await refusal(agent, id);
  expect([dirty.code, dirty.hint]).toEqual(["E102", expect.stringContaining("leave out `--version`")]);
  agent.commit("fix: ours");
  expect(await refusal(agent, id)).toMatchObject({ code: "E128", conflicts: ["prompts/system.md"] });
  agent.git("reset", "--hard", "--quiet", "HEAD~1");

  const eve = { KAI_HOME: path.join(path.dirname(agent.dir), "eve") };
  const generate = ["key", "generate", "--no-passphrase", "--name", "Eve", "--email", "eve@example.com"];
  expect((await agent.run(process.execPath, [PROGRAM, ...generate], eve)).exit).toBe(0);
  const before = stateOf(agent);
  const ran = await agent.run(process.execPath, [PROGRAM, "snapshot", "commit", id, "--version", "--json"], eve);
  expect(ran.json().error).toMatchObject({ code: "E112", message: expect.stringContaining("is no releaser here") });
  expect(stateOf(agent)).toEqual(before);

  // Somebody else's git is at work on the index: it is taken back right before it would have happened.
  agent.write(".git/index.lock", "");
  expect(await refusal(agent, id)).toMatchObject({ code: expect.stringMatching(/^E11[36]$/) });
  rmSync(path.join(agent.dir, ".git/index.lock"));
  expect(existsSync(path.join(agent.dir, "new.txt"))).toBe(false);
  expect(await agent.made("commit", id, "--version")).toMatchObject({ created: { version: "1.1.1" } });
});

test("a kai.yaml that a sandbox wrote says nothing of a version: it is taken over and looked at first", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "sed -i 's/256Mi/128Mi/' kai.yaml");
  expect(await refusal(agent, id, "--allow-executable")).toMatchObject({
    code: "E128",
    hint: expect.stringContaining(`snapshot commit ${id} --apply`),
  });
});

test("what nobody has tested does not become a version where that is asked for, and the hint says how it does", async () => {
  const agent = await snapshotAgent();
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  config.snapshot_isolation.require_snapshot_test = true;
  config.snapshot_isolation.tests = [{ name: "new", run: "ls | grep -q ^new" }];
  agent.write("kai.yaml", JSON.stringify(config));
  agent.commit("feat: nothing untested");
  const id = await changed(agent, "echo new > new.txt");
  const { code, hint } = await refusal(agent, id);
  expect(code).toBe("E129");
  const [, commit = ""] = /`git kai-version snapshot test ([0-9a-f]{40})`/.exec(hint) ?? [];
  expect(await agent.made("test", commit)).toMatchObject({ passed: true, notes: [] });
  expect(await agent.made("commit", id, "--version")).toMatchObject({ created: { version: "1.2.0" } });
});
