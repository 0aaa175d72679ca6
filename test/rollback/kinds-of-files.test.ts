import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { observe } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const read = (agent: Agent, name: string): string => readFileSync(path.join(agent.dir, name), "utf8");

/** An agent with 1.0.0 and a version 1.1.0 of what `change` makes of it. */
async function agentChangedBy(change: (agent: Agent) => void): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  change(agent);
  await makeVersion(agent, "1.1.0", "feat: change");
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
  await makeVersion(agent, "1.0.0", "feat: the first");
  for (const name of ["a", "b", "c", "d", "gone"]) agent.remove(name);
  agent.write("a/inner", "folder now\n");
  agent.write("b", "file now\n");
  agent.write("c", "no link\n");
  agent.write("d/x", "folder, not link\n");
  chmodSync(path.join(agent.dir, "run.sh"), 0o755);
  agent.write("new/deep/down", "only in the second\n");
  await makeVersion(agent, "1.1.0", "feat: the second");
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

test("state that is not there comes back for its owner alone, and what is there keeps its permissions", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const state = path.join(agent.dir, "state.json");
  rmSync(state);
  await told(agent, "rollback", "1.0.0");
  expect(lstatSync(state).mode & 0o777).toBe(0o600);
  chmodSync(state, 0o640);
  await told(agent, "rollback", "1.1.0", "--force");
  expect(lstatSync(state).mode & 0o777).toBe(0o640);
});
