import { existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

async function changed(agent: SnapshotAgent, script: string, ...options: string[]): Promise<string> {
  const { id } = await agent.made("create", "1.1.0", ...options);
  await agent.made("exec", id, "--", "sh", "-ec", script);
  return id;
}

test("a commit is a branch to review: signed, logged, and nothing else is touched", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo new > new.txt");
  expect(await agent.made("commit", id, "--dry-run")).toMatchObject({ commit: null, operation: null, dryRun: true });
  expect(await agent.refused("commit", id, "-m", " ")).toMatchObject({ code: "E122" });
  const done = await agent.made("commit", id, "-m", "feat: new");
  expect(done).toMatchObject({
    branch: `kai/snapshot/${id}`,
    changed: [{ path: "new.txt", change: "added" }],
  });
  expect(agent.git("rev-parse", `${done.branch}^`)).toBe(agent.git("rev-parse", "v1.1.0^{commit}"));
  expect(agent.git("log", "-1", "--format=%s", done.branch)).toBe("feat: new");
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(existsSync(path.join(agent.dir, "new.txt"))).toBe(false);
  expect((await agent.kai("log", "--json", "--kind", "snapshot")).json()).toMatchObject({
    operations: [{ kind: "snapshot" }],
  });
  expect(await agent.made("show", id)).toMatchObject({ status: "committed", committed: done.commit });
  expect(await agent.refused("commit", id)).toMatchObject({
    code: "E109",
    message: `The branch ${done.branch} has what the snapshot ${id} changed already.`,
  });
  agent.git("update-ref", `refs/heads/${done.branch}`, "HEAD");
  expect(await agent.refused("commit", id)).toMatchObject({
    code: "E125",
    hint: expect.stringContaining(`git branch -m ${done.branch} OTHER`),
  });
  agent.git("update-ref", `refs/heads/${done.branch}`, done.commit);
  const again = await agent.snapshot("run", `kai/snapshot/${id.toLowerCase()}`, "--", "cat", "new.txt");
  expect(again.stdout).toBe("new\n");
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
  // A branch is git's own to remove: nothing is said to be undone that is not.
  expect((await agent.kai("undo", "--json")).json().error).toMatchObject({
    code: "E125",
    hint: expect.stringContaining(`git branch -D ${done.branch}`),
  });
});

test("a branch that is in the way of the commit's own is named before anything happens", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo new > new.txt");
  const refused = async (branch: string, ...options: string[]) => {
    const { code, message, hint } = await agent.refused("commit", id, ...options);
    expect([code, message]).toEqual([
      "E125",
      `The branch ${branch} is in the way of kai/snapshot/${id}: git keeps none below another one.`,
    ]);
    expect(hint).toContain(`\`git branch -m ${branch} OTHER\``);
  };
  agent.git("branch", "kai");
  await refused("kai");
  await refused("kai", "--dry-run");
  agent.git("pack-refs", "--all");
  await refused("kai");
  agent.git("branch", "-m", "kai", "kai/snapshot");
  await refused("kai/snapshot");
  agent.git("branch", "-m", "kai/snapshot", "other");
  expect(await agent.made("commit", id)).toMatchObject({ branch: `kai/snapshot/${id}` });
});

test("where all that was changed is refused, it is counted", async () => {
  const agent = await snapshotAgent();
  for (const [script, hint] of [
    ["mkfifo one", / says why: 1 refused\.$/],
    ["mkfifo one two", / says why: 2 refused\.$/],
  ] as const) {
    expect(await agent.refused("commit", await changed(agent, script))).toMatchObject({
      code: "E109",
      hint: expect.stringMatching(hint),
    });
  }
});

test("the container of what was committed goes, and what is left goes with the snapshot, at once too", async () => {
  const agent = await snapshotAgent();
  const waited = await changed(agent, "echo new > new.txt");
  await agent.made("commit", waited);
  await expect.poll(() => agent.left().containers, { timeout: 60_000 }).toEqual([]);
  expect(await agent.made("diff", waited)).toMatchObject({ added: ["new.txt"] });
  await agent.made("destroy", waited);
  const hurried = await changed(agent, "echo new > new.txt; sleep 300 &");
  await agent.made("commit", hurried);
  await agent.made("destroy", hurried);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("--apply goes on top of the branch, keeps what the branch did since, and undo takes it back", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo new > new.txt; rm prompts/system.md");
  agent.write("other.txt", "of the branch\n");
  agent.commit("feat: another");
  await agent.made("commit", id, "--apply");
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(readFileSync(path.join(agent.dir, "new.txt"), "utf8")).toBe("new\n");
  expect(readFileSync(path.join(agent.dir, "other.txt"), "utf8")).toBe("of the branch\n");
  expect(existsSync(path.join(agent.dir, "prompts/system.md"))).toBe(false);
  expect(await agent.refused("commit", id, "--apply")).toMatchObject({
    code: "E109",
    message: `The branch has what the snapshot ${id} changed already.`,
  });
  expect((await agent.kai("undo")).exit).toBe(0);
  expect(existsSync(path.join(agent.dir, "new.txt"))).toBe(false);
  expect(existsSync(path.join(agent.dir, "prompts/system.md"))).toBe(true);
});

test("where both changed a path, and where files are not committed, --apply is refused and nothing changed", async () => {
  const agent = await snapshotAgent();
  const id = await changed(agent, "echo theirs > prompts/system.md");
  agent.write("prompts/system.md", "ours\n");
  expect(await agent.refused("commit", id, "--apply")).toMatchObject({ code: "E102" });
  agent.commit("fix: ours");
  const head = agent.git("rev-parse", "HEAD");
  expect(await agent.refused("commit", id, "--apply")).toMatchObject({
    code: "E128",
    conflicts: ["prompts/system.md"],
  });
  expect(agent.git("rev-parse", "HEAD")).toBe(head);
  expect(await agent.made("show", id)).toMatchObject({ status: "ready" });
  expect(await agent.made("commit", id)).toMatchObject({ changed: [{ path: "prompts/system.md" }] });
  const another = await changed(agent, "echo theirs > new.txt");
  agent.write("new.txt", "nobody's yet\n");
  const refused = await agent.refused("commit", another, "--apply");
  expect(refused).toMatchObject({ code: "E102", paths: ["new.txt"] });
  // There is no such option.
  expect(refused.hint).not.toContain("--force");
});

test("what later runs on a host takes --allow-executable: commands, what they name, what git and forges obey", async () => {
  const tests = [{ name: "answers", run: "sh ./scripts/check.sh && python3 -m clerk.main && make test" }];
  const files = { "scripts/check.sh": "true\n", "clerk/main.py": "pass\n", Makefile: "test:\n", "free.txt": "a\n" };
  const agent = await snapshotAgent({ tests }, files);
  const hostile = [
    "echo evil >> scripts/check.sh; echo evil >> clerk/main.py; echo evil >> Makefile; echo b >> free.txt",
    `sed 's/32Mi/64Mi/' kai.yaml > k; mv k kai.yaml`,
    "echo '* filter=evil' > .gitattributes; mkdir -p .github/workflows; echo on: push > .github/workflows/x.yml",
  ].join("; ");
  const id = await changed(agent, hostile);
  const refused = await agent.refused("commit", id);
  expect(refused).toMatchObject({ code: "E128", hint: expect.stringContaining(`snapshot diff ${id} --patch`) });
  expect((await agent.made("diff", id)).executable).toEqual(refused["executable"]);
  const shown = (await agent.snapshot("diff", id)).stdout;
  expect(shown).toContain("modified  scripts/check.sh  the test answers runs it\n");
  expect(refused["executable"]).toEqual([
    { path: ".gitattributes", reason: "git reads it as instructions" },
    { path: ".github/workflows/x.yml", reason: "a forge runs what it says" },
    { path: "Makefile", reason: "the test answers runs it" },
    { path: "clerk/main.py", reason: "the test answers runs it" },
    { path: "kai.yaml", reason: "it changes snapshot_isolation" },
    { path: "scripts/check.sh", reason: "the test answers runs it" },
  ]);
  const done = await agent.made("commit", id, "--allow-executable");
  expect(done.executable).toHaveLength(6);
  expect(done.changed).toHaveLength(7);
});

test("a file that a command names through a link takes --allow-executable, as a link on the way does", async () => {
  const tests = [{ name: "answers", run: "sh bin/stop.sh; ./health" }];
  const files = { "libexec/stop.sh": "true\n", "libexec/health-v2.sh": "true\n", "libexec/free.sh": "true\n" };
  const agent = await snapshotAgent({ tests }, files);
  symlinkSync("libexec", path.join(agent.dir, "bin"));
  symlinkSync("libexec/health-v2.sh", path.join(agent.dir, "health"));
  agent.commit("feat: links");
  expect((await agent.kai("create", "--as", "1.2.0")).exit).toBe(0);
  const write = "for file in libexec/*; do echo evil >> $file; done";
  const { id } = await agent.made("create", "1.2.0");
  const links = "mkdir new; echo evil > new/health.sh; ln -sfn new/health.sh health";
  await agent.made("exec", id, "--", "sh", "-ec", `${write}; ${links}`);
  const refused = await agent.refused("commit", id);
  expect(refused).toMatchObject({
    code: "E128",
    executable: [
      { path: "health", reason: "the test answers runs it" },
      { path: "libexec/health-v2.sh", reason: "the test answers leads to it, by a link or from another folder" },
      { path: "libexec/stop.sh", reason: "the test answers leads to it, by a link or from another folder" },
      { path: "new/health.sh", reason: "the test answers leads to it, by a link or from another folder" },
    ],
  });
  expect((await agent.made("diff", id)).executable).toEqual(refused["executable"]);
  expect((await agent.refused("commit", id, "--apply"))["executable"]).toEqual(refused["executable"]);
  expect((await agent.made("commit", id, "--allow-executable")).changed).toHaveLength(5);
});

test("what the branch runs today takes --allow-executable, although the version that was tried ran nothing", async () => {
  const agent = await snapshotAgent({}, { "start.sh": "true\n" });
  const id = await changed(agent, "echo evil >> start.sh; echo new > new.txt");
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  agent.write("kai.yaml", JSON.stringify({ ...config, lifecycle: { health: { run: "sh start.sh" } } }));
  agent.commit("feat: be asked how it is");
  expect((await agent.kai("create", "--as", "1.2.0")).exit).toBe(0);
  const before = [agent.git("rev-parse", "HEAD"), agent.git("tag", "--list")];
  for (const into of ["--apply", "--version"]) {
    expect(await agent.refused("commit", id, into)).toMatchObject({
      code: "E128",
      executable: [{ path: "start.sh", reason: "lifecycle.health runs it" }],
    });
  }
  expect([agent.git("rev-parse", "HEAD"), agent.git("tag", "--list")]).toEqual(before);
  const allowed = await agent.made("commit", id, "--apply", "--allow-executable", "--dry-run");
  expect(allowed.executable).toEqual([{ path: "start.sh", reason: "lifecycle.health runs it" }]);
});
