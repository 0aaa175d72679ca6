import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { mayLock } from "../../src/operation/stale-lock-owners.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { gitFile, leftovers } from "./observe.js";
import { COMMIT_POINT, runTraced } from "./run-traced.js";

/** A rollback that was killed before it locked the branch: its journal names the branch, so that a lock there could be its own. */
async function interruptedAgent(): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: "git openat \\S*/refs/heads/main\\.lock$", blow: "all" });
  expect(existsSync(gitFile(agent, "refs/heads/main.lock"))).toBe(false);
  return agent;
}

/** A git process that holds the branch's lock until it is told to go on. */
async function holdBranch(
  agent: Agent,
  cwd: string,
  before: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<{ release: () => Promise<void> }> {
  const holder = spawn("git", [...before, "update-ref", "--stdin"], { cwd, env: { ...agent.env, ...env } });
  endWithTest(holder);
  const head = agent.git("rev-parse", "main");
  holder.stdin.write(`start\nupdate refs/heads/main ${head} ${head}\nprepare\n`);
  let said = "";
  for await (const chunk of holder.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("prepare: ok")) break;
  }
  expect(existsSync(gitFile(agent, "refs/heads/main.lock"))).toBe(true);
  return {
    async release() {
      const ended = once(holder, "close");
      holder.stdin.end("abort\n");
      await ended;
    },
  };
}

const endWithTest = (child: ChildProcess): void => onTestFinished(() => void child.kill("SIGKILL"));

/** An empty folder beside the agent's own. */
function elsewhere(agent: Agent): string {
  const folder = path.join(path.dirname(agent.dir), "elsewhere");
  mkdirSync(folder);
  return folder;
}

async function expectUntouched(agent: Agent): Promise<void> {
  const lock = gitFile(agent, "refs/heads/main.lock");
  const before = statSync(lock, { bigint: true });
  const refused = await agent.kai("recover");
  expect([refused.exit, refused.stderr]).toEqual([4, expect.stringMatching(/^Error E113: .*main\.lock.*\nHint: Wait/)]);
  const after = statSync(lock, { bigint: true });
  expect([after.ino, after.ctimeNs]).toEqual([before.ino, before.ctimeNs]);
}

async function expectRecovered(agent: Agent): Promise<void> {
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
  expect(agent.git("status", "--porcelain")).toBe("");
}

test("a lock of a live git that stands elsewhere is left to it, however it was led here", async () => {
  const agent = await interruptedAgent();
  const away = elsewhere(agent);
  const git = gitFile(agent, "");
  symlinkSync(agent.dir, path.join(away, "link"));
  const led: [string, string[], NodeJS.ProcessEnv][] = [
    [away, ["-C", agent.dir], {}],
    [away, [`--git-dir=${git}`], {}],
    [away, ["--git-dir", "../clerk/.git"], {}],
    [away, ["--git-dir", "link/.git"], {}],
    [away, [], { GIT_DIR: git }],
    ["/", ["-C", away], { GIT_DIR: "link/.git", PWD: "/" }],
  ];
  for (const [cwd, before, env] of led) {
    const holder = await holdBranch(agent, cwd, before, env);
    await expectUntouched(agent);
    await holder.release();
  }
  await expectRecovered(agent);
});

test("a lock of a live git in another worktree of the repository is left to it", async () => {
  const agent = await interruptedAgent();
  const linked = path.join(elsewhere(agent), "linked");
  agent.git("worktree", "add", "--quiet", "--detach", linked);
  const holder = await holdBranch(agent, linked);
  await expectUntouched(agent);
  await holder.release();
  await expectRecovered(agent);
});

test("a lock that any live program has open is left to it", async () => {
  const agent = await interruptedAgent();
  const lock = gitFile(agent, "refs/heads/main.lock");
  const holder = spawn("sh", ["-c", `exec 3>"$1"; echo open; cat`, "sh", lock], { cwd: "/", env: agent.env });
  endWithTest(holder);
  await once(holder.stdout, "data");
  await expectUntouched(agent);
  holder.stdin.end();
  await once(holder, "close");
  await expectRecovered(agent);
});

test("the index.lock of a commit whose message is being written elsewhere is left to it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const away = elsewhere(agent);
  await agent.run("mkfifo", [`${away}/reached`, `${away}/go`]);
  const editor = path.join(away, "editor");
  writeFileSync(editor, `#!/bin/sh\necho here > ${away}/reached\ncat ${away}/go > "$1"\n`, { mode: 0o755 });
  const args = [`--git-dir=${gitFile(agent, "")}`, `--work-tree=${agent.dir}`, "commit", "--all", "--quiet"];
  agent.write("logic.py", "print(2)\n");
  const commit = spawn("git", args, { cwd: away, env: { ...agent.env, GIT_EDITOR: editor }, stdio: "ignore" });
  endWithTest(commit);
  await agent.run("cat", [`${away}/reached`]);
  const before = readFileSync(gitFile(agent, "index.lock"));
  const refused = await agent.kai("rollback", "1.0.0", "--force");
  expect([refused.exit, refused.stderr]).toEqual([4, expect.stringContaining("Error E113")]);
  expect(readFileSync(gitFile(agent, "index.lock"))).toEqual(before);
  const ended = once(commit, "close");
  writeFileSync(`${away}/go`, "chore: written by a person\n");
  expect(await ended).toEqual([0, null]);
  expect(agent.git("log", "-1", "--format=%s")).toBe("chore: written by a person");
  expect(leftovers(agent)).toEqual([]);
});

test("git at work elsewhere, and `git kai-version` itself, are in nobody's way; dead locks are kept aside", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, blow: "all" });
  const dead = leftovers(agent).filter((name) => /refs.*\.lock$/.test(name));
  expect(dead).toContain(".git/refs/heads/main.lock");
  const away = elsewhere(agent);
  agent.git("init", "--quiet", path.join(away, "other"));
  endWithTest(spawn("git", ["cat-file", "--batch"], { cwd: path.join(away, "other"), env: agent.env }));
  const wrapper = path.join(away, "git-kai-wrapped");
  writeFileSync(wrapper, "#!/bin/sh\necho started; cat\n", { mode: 0o755 });
  const env = { ...agent.env, PATH: `${away}:${agent.env["PATH"]}` };
  const waiting = spawn("git", ["kai-wrapped"], { cwd: agent.dir, env });
  onTestFinished(() => void waiting.stdin.end());
  await once(waiting.stdout, "data");
  const [operation = ""] = readdirSync(gitFile(agent, "kai/journal"));
  await expectRecovered(agent);
  expect(existsSync(gitFile(agent, `kai/stale-locks/${operation}/refs%2Fheads%2Fmain`))).toBe(true);
});

test("only git's own commands hold locks: those that it starts by name do not", () => {
  const builtin = new Set(["commit", "update-ref"]);
  expect(mayLock(["git", "commit"], builtin)).toBe(true);
  expect(mayLock(["/usr/bin/git", "-C", "commit", "-c", "a=b", "--no-pager", "commit", "-m", "x"], builtin)).toBe(true);
  expect(mayLock(["/usr/lib/git-core/git-update-ref", "--stdin"], builtin)).toBe(true);
  expect(mayLock(["git", "-C", "commit", "kai-version", "create"], builtin)).toBe(false);
  expect(mayLock(["git-remote-https", "origin"], builtin)).toBe(false);
  expect(mayLock(["git", "anything"], undefined)).toBe(true);
  expect(mayLock([], builtin)).toBe(true);
});
