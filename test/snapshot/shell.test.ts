import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const AT_TERMINAL = fileURLToPath(new URL("at-terminal.py", import.meta.url));

/** The processes on this machine whose command lines hold these texts. */
const running = (...texts: string[]): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return texts.every((text) => line.includes(text));
      } catch {
        return false;
      }
    })
    .map(Number);

/** Runs the program at a terminal, and types a line into it: see there. */
function atTerminal(agent: SnapshotAgent, how: string, line: string, ...args: string[]) {
  const options = { cwd: agent.dir, env: agent.env, encoding: "utf8", timeout: 90_000 } as const;
  return spawnSync("/usr/bin/python3", [AT_TERMINAL, how, line, process.execPath, PROGRAM, ...args], options);
}

// Node ends by SIGQUIT and SIGKILL at once: the next command in the snapshot ends what is left inside.
test.each([
  ["TERM", "143 restored\n", true],
  ["INT", "130 restored\n", true],
  ["HUP", "", true],
  ["QUIT", "131 restored\n", false],
  ["KILL", "137 restored\n", false],
])("a shell at a terminal that SIG%s ends leaves no podman, and the terminal as it was", async (how, told, endsAll) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const sleep = `sleep 1000${process.pid}`;
  const ran = atTerminal(agent, how, `echo "be"gun; ${sleep}`, "snapshot", "shell", id);
  expect(ran).toMatchObject({ stderr: "", stdout: told });
  await expect.poll(() => running("podman ", "exec --interactive", id.toLowerCase()), { timeout: 20_000 }).toEqual([]);
  if (!endsAll) await agent.made("exec", id, "--", "true");
  await expect.poll(() => running(sleep), { timeout: 20_000 }).toEqual([]);
});

test("what was asked of the network in a shell is told in the end and kept, and what was typed is not", async () => {
  const agent = await snapshotAgent({ network: { mode: "isolated", allowed_hosts: ["a.example"] } });
  const { id } = await agent.made("create", "1.1.0");
  expect(atTerminal(agent, "-", "exit 3", "snapshot", "shell", id).stdout).toMatch(/exit=3;/);
  expect(agent.git("for-each-ref", "refs/kai/runs")).toBe("");

  const ask = `import urllib.request; urllib.request.urlopen("http://evil.example/")`;
  const ran = atTerminal(agent, "-", `/usr/bin/python3 -c '${ask}'; exit 4`, "snapshot", "shell", id);
  expect(ran.stdout).toMatch(
    /^refused {2}GET evil\.example:80 {2}evil\.example:80 is not in allowed_hosts\s+exit=4;/ms,
  );
  const [subject, , record = ""] = agent.git("log", "-1", "--format=%B", "refs/kai/runs").split("\n");
  expect(subject).toMatch(/^run \/bin\/sh -c if command -v bash .* in v1\.1\.0: failed$/);
  const requests = [{ method: "GET", host: "evil.example", port: 80, allowed: false }];
  expect(JSON.parse(record)).toMatchObject({ snapshot: id, exitCode: 4, requests, resources: {} });
  expect(agent.git("show", "refs/kai/runs:stdout")).toBe("");
  expect((await agent.made("logs", id)).executions).toEqual([]);
});

test.each(["/bin/nope", "python3 -i"])("a shell %j that is not there is said as of a command", async (shell) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const { stderr, exit } = await agent.snapshot("exec", id, "--", shell);
  const ran = atTerminal(agent, "-", "", "snapshot", "shell", id, "--shell", shell);
  expect(ran.stdout.replaceAll("\r", "")).toContain(`;\n${stderr}exit=${exit};`);
  expect([exit, stderr]).toEqual([127, expect.stringContaining(`${shell}: not found\n`)]);
});

test("with --json stdout has the document alone, and stderr what is printed in the shell", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const line = 'echo "echo out; exit 3" | "$0" "$1" snapshot shell "$2" --json';
  const ran = await agent.run("sh", ["-c", line, process.execPath, PROGRAM, id]);
  expect(ran).toMatchObject({ stderr: "out\n", exit: 3 });
  const told = {
    snapshot: id,
    exitCode: 3,
    snapshotEnded: null,
    requests: [],
    requestsDropped: 0,
    run: null,
    podmanEnded: false,
  };
  expect(ran.json()).toMatchObject(told);
  expect(await agent.refused("shell", "01ZZZZ")).toMatchObject({ code: "E101" });
});

test.each(["SIGKILL", "SIGTERM"])("a shell whose podman %s ends says so, and nothing of it is left", async (signal) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const sleep = `sleep 2000${process.pid}`;
  const args = [PROGRAM, "snapshot", "shell", id];
  const shell = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: "pipe" });
  const [ended, stderr] = [once(shell, "exit"), text(shell.stderr)];
  shell.stdin.write(`echo begun; ${sleep}\n`);
  await once(shell.stdout, "data");
  for (const podman of running("podman ", "exec --interactive", id.toLowerCase())) process.kill(podman, signal);
  expect(await ended).toEqual([137, null]);
  expect(await stderr).toMatch(/^Warning: It was ended from outside: .*$/m);
  expect(running(sleep)).toEqual([]);
});

test("what a shell leaves in the background goes on, also in a snapshot that has no process ids of its own", async () => {
  const agent = await snapshotAgent({ isolation_levels: { testing: { namespaces: ["mount", "network"] } } });
  const { id } = await agent.made("create", "1.1.0", "--level", "testing");
  const sleep = `sleep 3000${process.pid}`;
  const ran = atTerminal(
    agent,
    "-",
    `trap "" HUP; setsid --fork ${sleep} >/dev/null 2>&1; exit 5`,
    "snapshot",
    "shell",
    id,
  );
  expect(ran.stdout).toMatch(/exit=5;/);
  expect(ran.stdout).not.toContain("Warning");
  await expect.poll(() => running(sleep)).toHaveLength(1);
});
