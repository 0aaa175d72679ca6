import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { observe } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { agentInTheWay } from "../support/agent-in-the-way.js";

const read = (agent: Agent, name: string): string => readFileSync(path.join(agent.dir, name), "utf8");

test("changes that are not committed refuse a rollback and stay", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "print('mine')\n");
  const before = observe(agent);
  expect(await agent.kai("rollback", "1.0.0")).toMatchInlineSnapshot(`
    Error E102: Files were changed and not committed: logic.py.
    Hint: Commit or stash them; \`--force\` saves them under refs/kai/backup and goes on.
    [exit 1]
  `);
  expect(observe(agent)).toEqual(before);
});

test("a dry run says that untracked files in the way refuse it, and with --force that they are saved aside", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("notes.txt", "one\n");
  agent.commit("feat: notes");
  await told(agent, "create", "--as", "1.1.0");
  agent.git("rm", "-q", "notes.txt");
  agent.git("commit", "-q", "-m", "feat: no notes");
  await told(agent, "create", "--as", "1.2.0");
  agent.write("notes.txt", "mine\n");
  const before = observe(agent);
  const risk = async (...more: string[]) =>
    (await told(agent, "rollback", "1.1.0", "--dry-run", ...more)).plan.risks.find(
      ({ kind }: { kind: string }) => kind === "untracked_files",
    );
  expect(await risk()).toEqual({
    kind: "untracked_files",
    severity: "high",
    message:
      "untracked files are in the way: notes.txt; it is refused without `--force`, which saves and replaces them",
  });
  expect(await risk("--force")).toMatchObject({
    severity: "medium",
    message: "untracked files are saved and replaced: notes.txt",
  });
  expect(observe(agent)).toEqual(before);
  expect((await agent.kai("rollback", "1.1.0")).stderr).toContain("Error E102");
});

test("a dry run to a withdrawn version prints the plan, with what refuses it as a risk", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "rollback", "1.0.0");
  const risks = async (...more: string[]) =>
    (await told(agent, "rollback", "1.1.0", "--dry-run", ...more)).plan.risks.filter(
      ({ kind }: { kind: string }) => kind === "withdrawn_target",
    );
  const message = "v1.1.0 was withdrawn before; it is refused without `--force`";
  expect(await risks()).toEqual([{ kind: "withdrawn_target", severity: "high", message }]);
  expect(await risks("--force")).toMatchObject([{ severity: "medium", message: "v1.1.0 was withdrawn before" }]);
  expect((await agent.kai("rollback", "1.1.0")).stderr).toContain("Error E101");
  const judged = await told(agent, "rollback", "1.1.0", "--when", "minutes_in_force >= 0", "--dry-run");
  expect(judged.plan.risks).toContainEqual(expect.objectContaining({ kind: "withdrawn_target", severity: "high" }));
});

test("a dry run prints the plan over changes that are not committed, and says that they refuse it without --force", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "print('mine')\n");
  const before = observe(agent);
  const risks = async (...more: string[]) =>
    (await told(agent, "rollback", "1.0.0", "--dry-run", ...more)).plan.risks.filter(
      ({ kind }: { kind: string }) => kind === "dirty_files",
    );
  const refused =
    "files are changed and not committed: 1; it is refused without `--force`, which saves and replaces them";
  expect(await risks()).toEqual([{ kind: "dirty_files", severity: "high", message: refused }]);
  expect((await agent.kai("rollback", "1.0.0", "--dry-run")).stdout).toContain(`risk (high)  ${refused}\n`);
  expect(await risks("--force")).toMatchObject([
    { severity: "medium", message: "changed files are saved and replaced: 1" },
  ]);
  expect(observe(agent)).toEqual(before);
});

test("untracked and ignored files that are not in the way stay as they are; state is that of the version", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write(".git/info/exclude", "*.log\n");
  agent.write("mine.txt", "mine\n");
  agent.write("mine.log", "mine too\n");
  agent.write("memory.sqlite", "not really\n");
  const { stateBackup } = (await agent.kai("rollback", "1.0.0", "--json")).json();
  expect([read(agent, "mine.txt"), read(agent, "mine.log"), read(agent, "state.json")]).toEqual([
    "mine\n",
    "mine too\n",
    '{"seen": "1.0.0"}\n',
  ]);
  // 1.0.0 had no such file; its bytes are saved.
  expect(existsSync(path.join(agent.dir, "memory.sqlite"))).toBe(false);
  expect(agent.git("show", `${stateBackup}:files/0`)).toBe("not really");
  expect((await agent.kai("undo")).exit).toBe(0);
  expect([read(agent, "memory.sqlite"), read(agent, "state.json")]).toEqual(["not really\n", '{"seen": "1.1.0"}\n']);
});

test("files in the way that are in no version refuse a rollback, whatever git ignores", async () => {
  const agent = await agentInTheWay();
  const before = observe(agent);
  const refused = await agent.kai("rollback", "1.0.0");
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("E102")]);
  for (const name of ["extra", "folder", "plain/mine.log"]) expect(refused.stderr).toContain(name);
  expect(observe(agent)).toEqual(before);
});

test("--force saves what it overwrites byte for byte, and git gives it back", async () => {
  const agent = await agentInTheWay();
  agent.write(".gitattributes", "* text eol=lf\n");
  agent.git("add", ".gitattributes");
  agent.write("prompts/system.md", "staged\n");
  agent.git("add", "prompts/system.md");
  agent.write("prompts/system.md", "in the working tree\r\n");
  agent.write("mine.txt", "not in the way\n");
  const { backup } = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(backup).toMatch(/^refs\/kai\/backup\//);
  expect([read(agent, "extra"), read(agent, "folder/inner"), read(agent, "plain")]).toEqual(
    Array(3).fill("of 1.0.0\n"),
  );
  const saved = (name: string) =>
    execFileSync("git", ["cat-file", "blob", `${backup}:${name}`], { cwd: agent.dir, env: agent.env });
  expect(saved("extra")).toEqual(Buffer.from([1, 0, 13, 10, 255]));
  expect(saved("folder").toString()).toBe("a file of mine\r\n");
  expect(saved("plain/mine.log").toString()).toBe("log\n");
  expect(saved("prompts/system.md").toString()).toBe("in the working tree\r\n");
  expect(agent.git("show", `${backup}^2:prompts/system.md`)).toBe("staged");
  expect(agent.git("ls-tree", "-r", "--name-only", backup).split("\n")).not.toContain("mine.txt");
  expect(read(agent, "mine.txt")).toBe("not in the way\n");
  expect(agent.git("status", "--porcelain")).toBe("?? .gitattributes\n?? mine.txt");
});

test("--force puts every changed file back, also one that the versions have alike", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("tools/search.json", "{}\n");
  agent.remove("kai.yaml");
  agent.git("checkout", "--quiet", "HEAD", "--", "kai.yaml");
  const { backup } = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(read(agent, "tools/search.json")).toBe('{"name": "search"}\n');
  expect(agent.git("show", `${backup}:tools/search.json`)).toBe("{}");
  expect(agent.git("status", "--porcelain")).toBe("");
});

test.each([
  ["a file", "100644", "mine"],
  ["a link to a folder with a file of that name", "120000", "../elsewhere"],
])(
  "--force saves %s in place of a folder that the versions have alike, and so does an emergency",
  async (_what, mode, bytes) => {
    const agent = await agentWithVersions("1.0.0", "1.1.0");
    const tools = path.join(agent.dir, "tools");
    agent.write("../elsewhere/search.json", "theirs\n");
    for (const args of [["--force"], ["--type", "emergency", "--force"]]) {
      agent.remove("tools");
      if (mode === "120000") symlinkSync(bytes, tools);
      else agent.write("tools", bytes);
      const { ok, backup } = (await agent.kai("rollback", "1.0.0", ...args, "--json")).json();
      expect(ok).toBe(true);
      expect(agent.git("ls-tree", "-r", backup, "tools")).toMatch(new RegExp(`^${mode} blob [0-9a-f]+\ttools$`));
      expect(agent.git("cat-file", "blob", `${backup}:tools`)).toBe(bytes);
      expect(read(agent, "tools/search.json")).toBe('{"name": "search"}\n');
      expect(read(agent, "../elsewhere/search.json")).toBe("theirs\n");
      expect(agent.git("status", "--porcelain")).toBe("");
      await agent.kai("undo");
    }
  },
);

test("an edit of a file that git was told to take for unchanged is not overwritten", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const [changed = ""] = agent.git("diff", "--name-only", "v1.0.0", "v1.1.0").trim().split("\n");
  agent.git("update-index", "--assume-unchanged", changed);
  agent.write(changed, "mine\n");
  const before = agent.git("rev-parse", "HEAD");
  expect((await agent.kai("rollback", "1.0.0")).stderr).toContain("Error E102");
  expect(readFileSync(path.join(agent.dir, changed), "utf8")).toBe("mine\n");
  expect(agent.git("rev-parse", "HEAD")).toBe(before);
});

test("--force saves an edit of a file that git was told to take for unchanged", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("update-index", "--assume-unchanged", "logic.py");
  agent.write("logic.py", "mine\n");
  const { backup } = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(agent.git("show", `${backup}:logic.py`)).toBe("mine");
  expect(read(agent, "logic.py")).toBe('print("answer of 1.0.0")\n');
});
