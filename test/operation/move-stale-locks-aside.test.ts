import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { gitFile, hasGitFile, leftovers } from "./observe.js";
import { COMMIT_POINT, runTraced } from "./run-traced.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("an index.lock of ours whose owner died is moved aside", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, blow: "all" });
  expect(hasGitFile(agent, "index.lock")).toBe(true);
  const mark = readFileSync(gitFile(agent, "index.lock"), "utf8");
  const [operation = ""] = readdirSync(gitFile(agent, "kai/journal"));
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
  expect(readFileSync(gitFile(agent, `kai/stale-locks/${operation}/index`), "utf8")).toBe(mark);
});

test("somebody else's index.lock is left alone, and nothing is changed", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  writeFileSync(gitFile(agent, "index.lock"), "");
  expect(await agent.kai("rollback", "1.0.0")).toMatchInlineSnapshot(`
    Error E113: Another git process holds <agent>/.git/index.lock.
    Hint: Wait for it to end and run the command again; if no git process runs, remove that file.
    [exit 4]
  `);
  expect(readFileSync(gitFile(agent, "index.lock"), "utf8")).toBe("");
  rmSync(gitFile(agent, "index.lock"));
  expect(leftovers(agent)).toEqual([]);
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
});

test("somebody else's index.lock keeps a recovery waiting, and it can be run again", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  writeFileSync(gitFile(agent, "index.lock"), "theirs");
  const refused = await agent.kai("recover");
  expect([refused.exit, refused.stderr]).toEqual([4, expect.stringContaining("E113")]);
  expect(readFileSync(gitFile(agent, "index.lock"), "utf8")).toBe("theirs");
  rmSync(gitFile(agent, "index.lock"));
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("ref locks that a killed git child left are taken away; one that was there before is not ours", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const theirs = gitFile(agent, "refs/heads/main.lock");
  writeFileSync(theirs, "");
  execFileSync("touch", ["-d", "2020-01-01", theirs]);
  const refused = await agent.kai("rollback", "1.0.0");
  expect([refused.exit, refused.stderr]).toEqual([4, expect.stringContaining("main.lock")]);
  expect(existsSync(theirs)).toBe(true);
  rmSync(theirs);
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, blow: "all" });
  expect(leftovers(agent).filter((name) => name.endsWith(".lock"))).not.toEqual([]);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
});

test("whoever has the dead owner's number now, in this boot or another, does not keep its locks", async () => {
  for (const boot of [bootId(), "00000000-0000-0000-0000-000000000000"]) {
    const agent = await agentWithVersions("1.0.0", "1.1.0");
    await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, blow: "all" });
    // A git that has nothing to do with this repository got the number.
    const other = spawn("git", ["hash-object", "--stdin"], { cwd: "/", env: agent.env });
    onTestFinished(() => void other.kill("SIGKILL"));
    writeFileSync(gitFile(agent, "kai/lock"), `rollback v1.0.0 (process ${other.pid})\n${boot}:${other.pid}:1\n`);
    expect((await agent.kai("recover")).exit).toBe(0);
    expect(leftovers(agent)).toEqual([]);
  }
});

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

test("while a git child of a killed program lives, the next command waits for it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const pipes = mkdtempSync(path.join(tmpdir(), "kai-pipe-"));
  onTestFinished(() => rmSync(pipes, { recursive: true }));
  await agent.run("mkfifo", [`${pipes}/reached`, `${pipes}/go`]);
  // Held at its commit point: git has locked the log and asks the hook.
  const hook = `#!/bin/sh\ngrep -q refs/kai/log && [ "$1" = prepared ] || exit 0\necho here > ${pipes}/reached\ncat ${pipes}/go >/dev/null\n`;
  writeFileSync(path.join(pipes, "reference-transaction"), hook, { mode: 0o755 });
  // No git of ours runs a hook, whatever is configured: this one has it said behind all that.
  const git = execFileSync("sh", ["-c", "command -v git"], { env: agent.env, encoding: "utf8" }).trim();
  writeFileSync(path.join(pipes, "git"), `#!/bin/sh\nexec ${git} -c core.hooksPath=${pipes} "$@"\n`, { mode: 0o755 });
  const first = spawn(process.execPath, [PROGRAM, "rollback", "1.0.0"], {
    cwd: agent.dir,
    env: { ...agent.env, PATH: `${pipes}:${agent.env["PATH"]}` },
    stdio: "ignore",
  });
  execFileSync("cat", [`${pipes}/reached`], { timeout: 60_000 });
  first.kill("SIGKILL");
  await once(first, "close");
  const second = spawn(process.execPath, [PROGRAM, "recover", "--json"], { cwd: agent.dir, env: agent.env });
  let told = "";
  second.stdout.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const ended = once(second, "close");
  await waitingForLock(gitFile(agent, "kai/lock"));
  expect(told).toBe("");
  rmSync(path.join(pipes, "reference-transaction"));
  writeFileSync(`${pipes}/go`, "go");
  expect(await ended).toEqual([0, null]);
  expect(JSON.parse(told).recovered).toMatchObject([{ kind: "rollback", outcome: "completed" }]);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});

/** Until a process waits for the lock: the kernel lists it behind an arrow. */
async function waitingForLock(file: string): Promise<void> {
  const inode = execFileSync("stat", ["-c", "%i", file], { encoding: "utf8" }).trim();
  const waiting = new RegExp(`-> FLOCK .*:${inode} `);
  while (!waiting.test(readFileSync("/proc/locks", "utf8"))) await new Promise((resolve) => setImmediate(resolve));
}
