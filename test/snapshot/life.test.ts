import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("a snapshot is made, worked in, looked at, and taken away whole", async () => {
  const agent = await snapshotAgent();
  const made = await agent.made("create", "1.1.0", "--env", "GREETING=hello");
  expect(made).toMatchObject({ version: "1.1.0", type: "copy_on_write", status: "ready", saved: null });
  expect(agent.left()).toMatchObject({ containers: [`kai-${made.id.toLowerCase()}`], records: [made.id] });

  const ran = await agent.snapshot("exec", made.id, "--", "sh", "-c", 'echo "$GREETING"; pwd; echo no >&2; exit 3');
  expect(ran).toMatchObject({ stdout: "hello\n/app\n", exit: 3 });
  expect(ran.stderr).toBe("no\n");
  // By the end of its id, too, and elsewhere in the sandbox.
  const short = made.id.slice(-8).toLowerCase();
  const there = await agent.made("exec", short, "--workdir", "/tmp", "--env", "A=b", "--", "sh", "-c", "pwd; echo $A");
  expect(there).toMatchObject({ snapshot: made.id, stdout: "/tmp\nb\n", exitCode: 0, timedOut: false });
  expect(there).toMatchObject({ artifacts: null, refused: null });

  const change = "echo new > new.txt; echo more >> logic.py; rm prompts/system.md; mkfifo pipe";
  await agent.made("exec", made.id, "--", "sh", "-c", change);
  expect(await agent.made("diff", made.id)).toMatchObject({
    added: ["new.txt"],
    modified: ["logic.py"],
    deleted: ["prompts/system.md"],
    refused: [{ path: "pipe", reason: "a FIFO" }],
    truncated: false,
  });
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(await agent.made("list")).toMatchObject({ total: 1, snapshots: [{ id: made.id, status: "ready" }] });
  expect(await agent.made("show", made.id)).toMatchObject({ status: "ready", isolation: { network: "none" } });

  const logs = await agent.made("logs", made.id);
  expect(logs.executions.map(({ exitCode }: { exitCode: number }) => exitCode)).toEqual([3, 0, 0]);
  const first = await agent.snapshot("logs", made.id, "--execution", logs.executions[0].id);
  expect([first.stdout, first.stderr]).toEqual(["hello\n/app\n", "no\n"]);
  const one = await agent.made("logs", made.id, "--execution", logs.executions[0].id);
  const output = { stdout: "hello\n/app\n", stderr: "no\n", utf8: true, dropped: 0 };
  expect(one).toMatchObject({ total: 1, executions: [{ exitCode: 3, output }] });
  await agent.made("exec", made.id, "--", "printf", "a\\377b");
  const { executions } = await agent.made("logs", made.id);
  expect(await agent.made("logs", made.id, "--execution", executions.at(-1).id)).toMatchObject({
    executions: [{ output: { stdout: "a\ufffdb", utf8: false } }],
  });

  await agent.made("destroy", made.id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(await agent.refused("exec", made.id, "--", "true")).toMatchObject({ code: "E101" });
});

test("a run gives its output and its exit status, keeps what came of it, and leaves nothing", async () => {
  const agent = await snapshotAgent();
  const ran = await agent.snapshot(
    "run",
    "1.1.0",
    "--",
    "sh",
    "-c",
    "echo out; echo err >&2; echo x > made.txt; exit 7",
  );
  expect([ran.stdout, ran.exit]).toEqual(["out\n", 7]);
  expect(ran.stderr).toBe("err\n1 changed: made.txt\n");
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(agent.git("log", "-1", "--format=%s", "refs/kai/runs")).toBe(
    "run sh -c echo out; echo err >&2; echo x > made.txt; exit 7 in v1.1.0: failed",
  );
  expect(agent.git("ls-tree", "-r", "--name-only", "refs/kai/runs").split("\n")).toEqual([
    "artifacts/made.txt",
    "stderr",
    "stdout",
  ]);
  expect(agent.git("show", "refs/kai/runs:stdout")).toBe("out");
  await agent.kai("key", "export").then(({ stdout }) => agent.write("key.asc", stdout));
  const gpg = await agent.run("sh", [
    "-c",
    'mkdir -m 700 "$GNUPGHOME"; gpg --quiet --import key.asc && git verify-commit refs/kai/runs',
  ]);
  expect(gpg.stderr).toContain("Good signature");
});

test("what a run made and is too large to be kept with it is named", async () => {
  const agent = await snapshotAgent();
  const script = "head -c 17000000 /dev/zero > big; echo x > small; ln -s small link; rm logic.py";
  const ran = await agent.made("run", "1.1.0", "--", "sh", "-c", script);
  expect(ran.artifactsDropped).toBe(0);
  expect(ran.artifacts).toEqual([
    { path: "big", change: "added", notKept: "more than 16777216 bytes of one run" },
    { path: "link", change: "added", notKept: "a link" },
    { path: "logic.py", change: "deleted" },
    { path: "small", change: "added" },
  ]);
  expect(agent.git("ls-tree", "-r", "--name-only", `${ran.run}:artifacts`)).toBe("small");
  const [, , record = ""] = agent.git("log", "-1", "--format=%B", ran.run).split("\n");
  expect(JSON.parse(record).artifacts).toEqual(ran.artifacts);
});

test("a command whose program is taken away meanwhile goes on to its end, and is kept as a run", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const program = path.join(path.dirname(agent.dir), "program");
  for (const part of ["bin", "dist"]) cpSync(part, path.join(program, part), { recursive: true });
  const exec = ["snapshot", "exec", id, "--json", "--", "sh", "-c", "sleep 2; echo done; exit 3"];
  const running = agent.run(process.execPath, [path.join(program, "bin/git-kai-version"), ...exec]);
  await pause(1500);
  rmSync(program, { recursive: true });
  const ran = await running;
  expect(ran.exit, String(ran)).toBe(3);
  expect(ran.json()).toMatchObject({ stdout: "done\n", exitCode: 3, run: expect.any(String) });
});

test("where the part of the program that keeps runs is missing, that is said, and the command has its own exit status", async () => {
  const agent = await snapshotAgent();
  const program = path.join(path.dirname(agent.dir), "program");
  for (const part of ["bin", "dist"]) cpSync(part, path.join(program, part), { recursive: true });
  // Without what was compiled each part is looked for by its name.
  rmSync(path.join(program, "dist/compiled"), { recursive: true });
  const chunks = path.join(program, "dist/chunks");
  const parts = readdirSync(chunks).filter((name) => /^keep-run-.*\.cjs$/.test(name));
  expect(parts).toHaveLength(1);
  rmSync(path.join(chunks, parts[0] ?? ""));
  const run = ["snapshot", "run", "1.1.0", "--json", "--", "sh", "-c", "echo out; exit 3"];
  const ran = await agent.run(process.execPath, [path.join(program, "bin/git-kai-version"), ...run]);
  expect(ran.exit, String(ran)).toBe(3);
  expect(ran.json()).toMatchObject({ stdout: "out\n", exitCode: 3, run: null });
  expect(ran.stderr).toContain("Warning: The run could not be kept: ENOENT");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("what a time-out ends is ended whole, and the snapshot goes on", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const hidden = "setsid sh -c 'while :; do :; done' & (while :; do sleep 1; done) & sleep 600";
  const ran = await agent.kai("snapshot", "exec", id, "--timeout", "1s", "--json", "--", "sh", "-c", hidden);
  expect(ran.json()).toMatchObject({ timedOut: true, passed: false, exitCode: 137 });
  const seen = await agent.made("exec", id, "--", "sh", "-c", "ls /proc | grep -c '^[0-9]'");
  // The first process, this shell, and what it counts with.
  expect(Number(seen.stdout)).toBeLessThanOrEqual(4);
});

test("not more than max_concurrent live at once: others wait, or are refused", async () => {
  const agent = await snapshotAgent({ max_concurrent: 1 });
  const { id } = await agent.made("create", "1.1.0");
  expect(await agent.refused("run", "1.1.0", "--no-wait", "--", "true")).toMatchObject({
    code: "E113",
    message: "1 snapshot lives already, and max_concurrent is 1.",
    snapshots: [id],
  });
  const args = [PROGRAM, "snapshot", "run", "1.1.0", "--", "echo", "at last"];
  const waiting = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => waiting.once("exit", resolve));
  const [said] = await once(waiting.stderr, "data");
  expect(String(said)).toBe(
    "Waiting for the snapshot that lives to end: max_concurrent is 1, and `snapshot list` shows them…\n",
  );
  await agent.made("destroy", id);
  expect([await text(waiting.stdout), await ended]).toEqual(["at last\n", 0]);
  const quiet = await agent.snapshot("create", "1.1.0", "--quiet");
  expect(quiet.stdout).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}\n$/);
  const another = quiet.stdout.trim();
  await agent.snapshot("exec", another, "--", "sh", "-c", "touch made.txt; mkfifo pipe");
  for (const verb of ["save", "commit"]) {
    const { stdout, stderr } = await agent.snapshot(verb, another, "--quiet");
    expect(stderr).toMatch(/^Warning: pipe was refused: .*\n$/);
    expect(agent.git("log", "-1", "--format=%H", stdout.trim()), verb).toBe(stdout.trim());
  }
  expect((await agent.snapshot("destroy", another, "--quiet")).stdout).toBe("");
});

test("a snapshot whose time is over ends by itself, and goes with what it had changed saved", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0", "--ttl", "15s");
  await agent.made("exec", id, "--", "sh", "-c", "echo precious > precious.txt");
  await expect
    .poll(async () => (await agent.made("show", id)).status, { timeout: 45_000, interval: 300 })
    .toBe("stopped");
  expect(await agent.made("prune", "--dry-run")).toMatchObject({ pruned: [{ id, kept: null }], dryRun: true });
  const { pruned } = await agent.made("prune");
  expect(pruned).toMatchObject([{ id, reason: "its time is over", kept: expect.any(String) }]);
  expect(agent.git("show", `refs/kai/snapshots/${id}:precious.txt`)).toBe("precious");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test.each([
  ["whose time is over", "8s", /^It was ended with the snapshot, whose time \(ttl\) is over: /m],
  ["that is destroyed", "1h", /^(?:It was ended with the snapshot, which was destroyed|Error E103: )/m],
] as const)("a command in a snapshot %s says why it was ended", async (_, ttl, said) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0", "--ttl", ttl);
  const args = [PROGRAM, "snapshot", "exec", id, "--", "sh", "-c", "echo begun; sleep 600"];
  const running = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: ["ignore", "pipe", "pipe"] });
  const [ended, stderr] = [once(running, "exit"), text(running.stderr)];
  await once(running.stdout, "data");
  if (ttl === "1h") await agent.made("destroy", id);
  const [exit] = await ended;
  expect(await stderr).toMatch(said);
  expect(await stderr).not.toMatch(/^Error: /m);
  expect(ttl === "8s" ? [137] : [137, 3]).toContain(exit);
  if (ttl === "8s") await agent.made("destroy", id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a shell in a snapshot that is destroyed says why it was ended", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const args = [PROGRAM, "snapshot", "shell", id];
  const running = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: "pipe" });
  const [ended, stderr] = [once(running, "exit"), text(running.stderr)];
  running.stdin.write("echo begun; exec sleep 600\n");
  await once(running.stdout, "data");
  await agent.made("destroy", id);
  const [exit] = await ended;
  expect([137, 3]).toContain(exit);
  expect(await stderr).toMatch(/^(?:Warning: It was ended with the snapshot, which was destroyed|Error E103: )/m);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a snapshot whose folder somebody removed is in error, and goes like any other", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  execFileSync("podman", ["rm", "--force", "--time", "0", ...agent.left().containers], { env: agent.env });
  expect((await agent.made("show", id)).status).toBe("stopped");
  const volume = path.join(agent.tempDir, `kai-snapshot.${id}`, "volume");
  execFileSync("sh", ["-c", 'umount "$1" 2>/dev/null; rm -r "$2"', "sh", volume, agent.tempDir]);
  expect(await agent.made("show", id)).toMatchObject({ status: "error", reason: "its files are gone" });
  const refused = await agent.snapshot("exec", id, "--", "true");
  expect(refused.stderr).toContain("is error: its files are gone");
  expect(refused.stderr).not.toContain("still reach its files");
  expect(await agent.made("prune", "--all")).toMatchObject({ pruned: [{ id, reason: "it is error", kept: null }] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a command that kills itself in a snapshot that goes on is not said to have ended with it", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const ran = await agent.made("exec", id, "--", "true");
  expect(ran).toMatchObject({ exitCode: 0, snapshotEnded: null });
  const killed = await agent.snapshot("exec", id, "--", "sh", "-c", "kill -9 $$");
  expect([killed.exit, killed.stderr]).toEqual([137, ""]);
});
