import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { namedByGit } from "../../src/snapshot/ingest/named-by-git.js";
import { scratch } from "../support/scratch.js";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PATHS = [
  ".ci/hooks/post-merge",
  ".ci",
  "tools/strip.sh",
  "tools/x.py",
  ".gitconfig",
  "signers",
  "status",
  "main",
];

/** Which paths git's configuration names with a setting of a repository, `@` standing for its folder. */
async function named(key: string, value: string): Promise<string[]> {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  execFileSync("git", ["config", key, value.replace("@", dir)], { cwd: dir, env });
  const why = await namedByGit(await openRepository(dir, { ...env, HOME: dir }));
  return PATHS.filter((each) => why(each) !== undefined);
}

test.each<[string, string, string[]]>([
  ["core.hooksPath", ".ci/hooks", [".ci/hooks/post-merge", ".ci"]],
  ["core.hooksPath", "@/.CI/hooks/", [".ci/hooks/post-merge", ".ci"]],
  ["core.hooksPath", "~/.ci/hooks", [".ci/hooks/post-merge", ".ci"]],
  ["core.hooksPath", ".", PATHS],
  ["core.hooksPath", "../hooks", []],
  ["include.path", "../.gitconfig", [".gitconfig"]],
  ["includeIf.onbranch:other.path", "../.gitconfig", [".gitconfig"]],
  ["core.attributesFile", "tools/x.py", ["tools/x.py"]],
  ["gpg.ssh.allowedSignersFile", "signers", ["signers"]],
  ["filter.X.clean", "tools/strip.sh", ["tools/strip.sh"]],
  ["filter.x.smudge", "python3 ./tools/x.py %f", ["tools/x.py"]],
  ["filter.x.process", "'@/tools/strip.sh'", ["tools/strip.sh"]],
  ["core.fsmonitor", "tools/strip.sh", ["tools/strip.sh"]],
  ["core.sshCommand", "~/tools/strip.sh -v", ["tools/strip.sh"]],
  ["diff.x.textconv", "tools/strip.sh", ["tools/strip.sh"]],
  ["diff.x.command", "tools/strip.sh", ["tools/strip.sh"]],
  ["merge.x.driver", "tools/strip.sh %O %A", ["tools/strip.sh"]],
  ["gpg.program", "tools/strip.sh", ["tools/strip.sh"]],
  ["credential.https://x.helper", "!tools/strip.sh", ["tools/strip.sh"]],
  ["mergetool.x.path", "tools/strip.sh", ["tools/strip.sh"]],
  ["core.editor", "tools/strip.sh", ["tools/strip.sh"]],
  ["alias.x", "!sh tools/strip.sh", ["tools/strip.sh"]],
  ["alias.st", "status", []],
  ["credential.helper", "main", []],
  ["core.fsmonitor", "true", []],
  ["init.defaultBranch", "main", []],
])("git's %s being %s names %j", async (key, value, paths) => {
  expect(await named(key, value)).toEqual(paths);
});

test("a hook that is a link names what it leads to", async () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  mkdirSync(path.join(dir, ".git/hooks"), { recursive: true });
  mkdirSync(path.join(dir, "tools"));
  writeFileSync(path.join(dir, "tools/strip.sh"), "");
  symlinkSync("../../tools/strip.sh", path.join(dir, ".git/hooks/pre-commit"));
  const why = await namedByGit(await openRepository(dir, env));
  expect(PATHS.filter((each) => why(each))).toEqual(["tools/strip.sh"]);
});

/** Writes what leaves a mark where it is run into a file of a snapshot, and takes that over. */
async function takesOver(agent: SnapshotAgent, script: string, file: string, ...options: string[]) {
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-ec", script);
  expect((await agent.made("diff", id)).executable).toMatchObject([{ path: file }]);
  expect(await agent.refused("commit", id, ...options)).toMatchObject({ code: "E128", executable: [{ path: file }] });
  await agent.made("commit", id, ...options, "--allow-executable");
}

test("hooks among the files are marked, and no git of ours runs them, allowed or not", async () => {
  const agent = await snapshotAgent({}, { ".ci/readme": "", ".gitconfig": "" });
  const marker = path.join(path.dirname(agent.dir), "executed");
  agent.git("config", "core.hooksPath", ".ci");
  const hook = (name: string) => `printf '#!/bin/sh\\ntouch "${marker}"\\n' > .ci/${name}; chmod +x .ci/${name}`;
  await takesOver(agent, hook("post-index-change"), ".ci/post-index-change", "--version", "-m", "feat: x");
  await takesOver(agent, hook("reference-transaction"), ".ci/reference-transaction", "--apply");
  agent.git("config", "--unset", "core.hooksPath");
  agent.git("config", "include.path", "../.gitconfig");
  const config = "printf '[core]\\nhooksPath = .ci\\nfsmonitor = .ci/post-index-change\\n' > .gitconfig";
  await takesOver(agent, config, ".gitconfig", "--apply");
  expect(readFileSync(path.join(agent.dir, ".gitconfig"), "utf8")).toContain("hooksPath");
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
  expect(existsSync(marker)).toBe(false);
});

test("a filter's program among the files is run only where that was allowed", async () => {
  const agent = await snapshotAgent({}, { "tools/strip.sh": "cat\n", ".gitattributes": "*.txt filter=strip\n" });
  const marker = path.join(path.dirname(agent.dir), "executed");
  agent.git("config", "filter.strip.clean", "sh tools/strip.sh");
  const script = `echo 'touch "${marker}"; cat' > tools/strip.sh; echo x > new.txt`;
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-ec", script);
  const executable = [{ path: "tools/strip.sh", reason: "git's filter.strip.clean names it" }];
  expect(await agent.made("diff", id)).toMatchObject({ executable });
  expect(await agent.refused("commit", id, "--apply")).toMatchObject({ code: "E128", executable });
  expect(existsSync(marker)).toBe(false);
});
