import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type RollbackResult, rollBack } from "../../src/rollback/rollback.js";
import { parseNumber } from "../../src/version/number.js";
import { observe } from "../operation/observe.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { smallDisk } from "../support/small-disk.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const read = (agent: Agent, name: string): string => readFileSync(path.join(agent.dir, name), "utf8");

/** An agent with 1.0.0 and a version 1.1.0 of what `change` makes of it. */
async function agentChangedBy(change: (agent: Agent) => void): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  change(agent);
  agent.commit("feat: change");
  expect((await agent.kai("create", "--as", "1.1.0")).exit).toBe(0);
  return agent;
}

/** Goes back and forth, and each time the working tree is what git itself makes of the version. */
async function expectThereAndBack(agent: Agent): Promise<void> {
  const files = (version: string) => {
    const folder = path.join(path.dirname(agent.dir), `fresh-${version}-${Math.random()}`);
    agent.git("-c", "advice.detachedHead=false", "worktree", "add", "--quiet", "--detach", folder, `v${version}`);
    const fresh = observe({ ...agent, dir: folder, git: (...args) => agent.git("-C", folder, ...args) });
    agent.git("worktree", "remove", "--force", folder);
    const live = new Set([".git", "state.json", "memory.sqlite"]);
    return [...fresh.files].filter(([name]) => !live.has(name)).sort();
  };
  const here = () => [...observe(agent).files].filter(([name]) => name !== "state.json").sort();
  for (const target of ["1.0.0", "1.1.0", "1.0.0"]) {
    const ran = await agent.kai("rollback", target, "--force");
    expect(ran.exit, String(ran)).toBe(0);
    expect(here()).toEqual(files(target));
    expect(agent.git("status", "--porcelain")).toBe("");
  }
}

test("files, links, folders and programs that become one another", async () => {
  const agent = await agentWithVersions();
  agent.write("a", "file\n");
  agent.write("b/inner", "file in a folder\n");
  symlinkSync("a", path.join(agent.dir, "c"));
  agent.write("run.sh", "#!/bin/sh\n");
  agent.write("gone/deep/down", "only in the first\n");
  mkdirSync(path.join(agent.dir, "target"));
  agent.write("target/x", "x\n");
  symlinkSync("target", path.join(agent.dir, "d"));
  agent.commit("feat: the first");
  expect((await agent.kai("create", "--as", "1.0.0")).exit).toBe(0);
  for (const name of ["a", "b", "c", "d", "gone"]) agent.remove(name);
  agent.write("a/inner", "folder now\n");
  agent.write("b", "file now\n");
  agent.write("c", "no link\n");
  agent.write("d/x", "folder, not link\n");
  chmodSync(path.join(agent.dir, "run.sh"), 0o755);
  agent.write("new/deep/down", "only in the second\n");
  agent.commit("feat: the second");
  expect((await agent.kai("create", "--as", "1.1.0")).exit).toBe(0);
  await expectThereAndBack(agent);
  expect(readlinkSync(path.join(agent.dir, "c"))).toBe("a");
  expect(existsSync(path.join(agent.dir, "new"))).toBe(false);
  expect(lstatSync(path.join(agent.dir, "run.sh")).mode & 0o111).toBe(0);
});

test("paths with blanks, line feeds, other scripts and bytes that are no text", async () => {
  const names = ["a b", "line\nfeed", "grüße/日本", "-dash", "tab\there", 'quo"te', "a*b", ":(top)magic"].map((name) =>
    Buffer.from(name),
  );
  const all = [...names, Buffer.from([0x6c, 0xff, 0xfe])];
  const agent = await agentChangedBy(({ dir, write }) => {
    write("grüße/keep", "k\n");
    for (const name of all) writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), name]), "here\n");
  });
  await expectThereAndBack(agent);
});

test("line ends that attributes ask for, and a filter's clean and smudge", async () => {
  const agent = await agentChangedBy(({ write, git }) => {
    git("config", "filter.shout.clean", "tr A-Z a-z");
    git("config", "filter.shout.smudge", "tr a-z A-Z");
    write(".gitattributes", "*.bat eol=crlf\n*.loud filter=shout\n");
    write("run.bat", "one\r\ntwo\r\n");
    write("say.loud", "HELLO\n");
  });
  await expectThereAndBack(agent);
  await agent.kai("rollback", "1.1.0", "--force");
  expect([read(agent, "run.bat"), read(agent, "say.loud")]).toEqual(["one\r\ntwo\r\n", "HELLO\n"]);
});

test("a submodule's entry comes and goes; its files are left to git submodule", async () => {
  const agent = await agentChangedBy(({ git, write }) => {
    write("vendor/code.py", "print()\n");
    git("init", "--quiet", "vendor");
    git("-C", "vendor", "add", "--all");
    git("-C", "vendor", "commit", "--quiet", "-m", "feat: vendor");
  });
  for (const target of ["1.0.0", "1.1.0"]) {
    expect((await agent.kai("rollback", target, "--force")).exit).toBe(0);
    expect(agent.git("ls-files", "--stage", "vendor") !== "").toBe(target === "1.1.0");
    expect(agent.git("status", "--porcelain")).toBe(target === "1.1.0" ? "" : "?? vendor/");
    expect(read(agent, "vendor/code.py")).toBe("print()\n");
  }
});

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

test("untracked and ignored files that are not in the way stay as they are", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("mine.txt", "mine\n");
  agent.write("memory.sqlite", "not really\n");
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect([read(agent, "mine.txt"), read(agent, "memory.sqlite"), read(agent, "state.json")]).toEqual([
    "mine\n",
    "not really\n",
    '{"seen": "1.1.0"}\n',
  ]);
});

/** 1.0.0 has `extra`, `folder/inner` and `plain`; 1.1.0 has none of them, and ignores `extra`. */
async function agentInTheWay(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write("extra", "of 1.0.0\n");
  agent.write("folder/inner", "of 1.0.0\n");
  agent.write("plain", "of 1.0.0\n");
  agent.commit("feat: extras");
  expect((await agent.kai("create", "--as", "1.0.0")).exit).toBe(0);
  for (const name of ["extra", "folder", "plain"]) agent.remove(name);
  agent.write(".gitignore", "state.json\nmemory.sqlite\nextra\n*.log\n");
  agent.commit("feat: no extras");
  expect((await agent.kai("create", "--as", "1.1.0")).exit).toBe(0);
  // An ignored file, a file where a folder goes, and a folder with an ignored file where a file goes.
  agent.write("extra", Buffer.from([1, 0, 13, 10, 255]));
  agent.write("folder", "a file of mine\r\n");
  agent.write("plain/mine.log", "log\n");
  return agent;
}

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

/** Goes back to 1.0.0 by force; `edit` is made when the backup is taken and nothing is overwritten yet. */
function forcedBackWith(agent: Agent, edit: () => void): Promise<RollbackResult> {
  const progress = (message: string) => {
    if (message.startsWith("Restoring")) edit();
  };
  const caller = { cwd: agent.dir, env: agent.env, now: () => new Date(), progress, onRecovered: () => {} };
  return rollBack(caller, { to: parseNumber("1.0.0"), force: true, unproven: false, dryRun: false });
}

test("an edit made after the backup is not overwritten: of what the versions have otherwise it refuses", async () => {
  const agent = await agentInTheWay();
  agent.write("prompts/system.md", "saved\n");
  for (const [name, text] of [
    ["extra", "later\n"],
    ["plain/mine.log", "later\n"],
  ] as const) {
    const before = agent.git("rev-parse", "HEAD", "refs/kai/log", "current");
    await expect(forcedBackWith(agent, () => agent.write(name, text))).rejects.toMatchObject({
      code: "E102",
      message: expect.stringContaining(name),
    });
    expect(read(agent, name)).toBe(text);
    expect(agent.git("rev-parse", "HEAD", "refs/kai/log", "current")).toBe(before);
  }
  // It is what it says, and asked again it saves that too.
  const { backup } = await forcedBackWith(agent, () => {});
  expect(agent.git("show", `${backup}:extra`)).toBe("later");
});

test("an edit made after the backup stays where the versions are alike", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("tools/search.json", "saved\n");
  const { backup } = await forcedBackWith(agent, () => agent.write("tools/search.json", "later\n"));
  expect([read(agent, "tools/search.json"), agent.git("show", `${backup}:tools/search.json`)]).toEqual([
    "later\n",
    "saved",
  ]);
  expect(agent.git("status", "--porcelain")).toBe(" M tools/search.json");
});

test("a file that was deleted, and written again after the backup, is not overwritten", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.remove("logic.py");
  await expect(forcedBackWith(agent, () => agent.write("logic.py", "later\n"))).rejects.toMatchObject({ code: "E102" });
  expect(read(agent, "logic.py")).toBe("later\n");
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

test("a rollback of a rollback, many times over: numbers never come again", { timeout: 180_000 }, async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const turns = process.env["KAI_SWEEP"] === "all" ? 50 : 12;
  const made = new Set(["1.0.0", "1.1.0"]);
  for (let turn = 0; turn < turns; turn++) {
    const target = turn % 2 === 0 ? "1.0.0" : "1.1.0";
    expect((await agent.kai("rollback", target, "--force")).exit).toBe(0);
    expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", `v${target}^{tree}`));
    if (turn % 4 !== 3) continue;
    const { version } = (await agent.kai("create", "--allow-unchanged", "--json")).json();
    expect(made).not.toContain(version);
    made.add(version);
  }
  expect(agent.git("tag", "--list", "v*").split("\n")).toHaveLength(made.size);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

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

test("live state that an older version tracked stays as it is", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", agent.git("show", "HEAD:kai.yaml").replace("state.json", "memory.json"));
  agent.write("memory.json", "{}\n");
  agent.git("add", "-f", "memory.json");
  agent.commit("feat: remember");
  await agent.kai("create");
  agent.git("rm", "-q", "--cached", "memory.json");
  agent.write(".gitignore", "memory.json\n");
  agent.commit("feat: forget in git");
  await agent.kai("create");
  agent.write("memory.json", '{"live": true}\n');
  expect((await agent.kai("rollback", "1.1.0")).exit).toBe(0);
  expect(readFileSync(path.join(agent.dir, "memory.json"), "utf8")).toBe('{"live": true}\n');
});

test("files are written by the attributes of the version, not by those of today", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("lines.txt", "one\ntwo\n");
  agent.commit("feat: lines");
  await agent.kai("create");
  agent.write(".gitattributes", "*.txt eol=crlf\n");
  agent.write("lines.txt", "one\ntwo\nthree\n");
  agent.commit("feat: line ends");
  await agent.kai("create");
  expect((await agent.kai("rollback", "1.1.0")).exit).toBe(0);
  expect(readFileSync(path.join(agent.dir, "lines.txt"), "utf8")).toBe("one\ntwo\n");
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("a git folder that lies on another file system than the working tree", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const disk = await smallDisk();
  const run = (file: string, ...args: string[]) => disk.run(file, args, { cwd: agent.dir, env: agent.env });
  const folder = path.join(disk.dir, "git");
  expect((await run("cp", "-a", ".git", folder)).exit).toBe(0);
  rmSync(path.join(agent.dir, ".git"), { recursive: true });
  agent.write(".git", `gitdir: ${folder}\n`);
  for (const version of ["1.0.0", "1.1.0"]) {
    const ran = await run(process.execPath, PROGRAM, "rollback", version, "--force");
    expect(ran.exit, String(ran)).toBe(0);
    expect(read(agent, "logic.py")).toContain(version);
    expect((await run("git", "status", "--porcelain")).toString()).toBe("[exit 0]");
  }
  expect((await run("ls", path.join(folder, "kai/staging"))).stdout).toBe("");
  expect(readdirSync(agent.dir).filter((name) => name.startsWith(".kai"))).toEqual([]);
});

test("tracked files that are one file by two names", async () => {
  const agent = await agentChangedBy(({ dir, write }) => {
    write("one", "of 1.1.0\n");
    linkSync(path.join(dir, "one"), path.join(dir, "two"));
    unlinkSync(path.join(dir, "logic.py"));
    linkSync(path.join(dir, "one"), path.join(dir, "logic.py"));
  });
  const ran = await agent.kai("rollback", "1.0.0");
  expect(ran.exit, String(ran)).toBe(0);
  expect([existsSync(path.join(agent.dir, "one")), existsSync(path.join(agent.dir, "two"))]).toEqual([false, false]);
  expect(read(agent, "logic.py")).toContain("1.0.0");
  expect(agent.git("status", "--porcelain")).toBe("");
});
