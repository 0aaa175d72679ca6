import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { findProgram } from "../../src/system/find-program.js";
import { observe } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { HEALTH, kaiYaml, type LiveAgent, liveAgent, START } from "./live-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const IGNORED = "state.json\nmemory.sqlite*\nvar/\nmodules/\n";
const TEMP_DIR = "../rehearsals";
const tests = (run: string, more = "") =>
  `snapshot_isolation: {temp_dir: ${TEMP_DIR}, tests: [{name: looks, kind: functionality, run: ${JSON.stringify(run)}${more}}]}`;

/** 1.0.0 and 1.1.0, with this kai.yaml. */
async function agentWith(lifecycle: string, isolation = `snapshot_isolation: {temp_dir: ${TEMP_DIR}}`) {
  const agent = await liveAgent();
  const yaml = kaiYaml(lifecycle, isolation);
  await agent.version("1.0.0", { "kai.yaml": yaml, ".gitignore": IGNORED, "requirements.txt": "a==1\n" });
  await agent.version("1.1.0", { "requirements.txt": "a==2\n" });
  return agent;
}

const stepOf = ({ steps }: { steps: { type: string }[] }, wanted: string) => steps.find(({ type }) => type === wanted);

/** What rehearsals of this agent left on this machine. */
const left = (agent: LiveAgent) => ({
  folders: existsSync(path.join(agent.dir, TEMP_DIR)) ? readdirSync(path.join(agent.dir, TEMP_DIR)) : [],
  containers: containersIn(agent),
});

/** Those over a folder in this agent's own place for them. */
function containersIn(agent: LiveAgent): string[] {
  const podman = (...args: string[]) => execFileSync("podman", args, { env: agent.env, encoding: "utf8" });
  const names = podman("ps", "--all", "--filter", "label=kai.owner", "--format", "{{.Names}} {{.Mounts}}");
  return names
    .split("\n")
    .flatMap((line) =>
      line.includes(`${agent.dir} `) || line.includes(`${agent.dir}]`) ? [line.split(" ")[0] ?? ""] : [],
    );
}

const NOTHING_LEFT = { folders: [], containers: [] };

test("a command that writes to the agent's own path, or anywhere else, meets the copy and nothing of this host", async () => {
  const migrate =
    'migrate: {run: \'mkdir "$AGENT/var"; echo met > "$AGENT/var/met"; echo x > "$AGENT/../beside"; echo x > "$OUTSIDE"; echo x > "$HOME/at-home"\'}';
  const looks = 'cat "$AGENT/var/met" && git status --short && git log -1 --format=%s && git log -1 --format=%s v1.1.0';
  const agent = await agentWith(migrate, tests(looks));
  const outside = path.join(agent.dir, "../outside");
  Object.assign(agent.env, { AGENT: agent.dir, OUTSIDE: outside });
  agent.write("state.json", "live\n");
  const before = observe(agent);
  const rehearsed = await told(agent, "rollback", "1.0.0", "--rehearse", "--keep-state");
  expect(rehearsed).toMatchObject({
    ok: true,
    problem: null,
    isolation: "container",
    notContained: null,
    network: "none",
    remarks: [],
  });
  expect(stepOf(rehearsed.rollback, "restore_data")).toMatchObject({ status: "done" });
  expect(stepOf(rehearsed.rollback, "validate_rollback")).toMatchObject({
    output: expect.stringMatching(/^met\n.*1\.0\.0.*\nfeat: 1\.1\.0\n$/),
  });
  expect(observe(agent)).toEqual(before);
  expect([agent.read("state.json"), agent.has("var/met")]).toEqual(["live\n", false]);
  expect([existsSync(outside), existsSync(path.join(agent.dir, "../beside"))]).toEqual([false, false]);
  expect(existsSync(path.join(agent.env["HOME"] ?? "", "at-home"))).toBe(false);
  expect(left(agent)).toEqual(NOTHING_LEFT);
});

test("the agent is stopped, started and asked in the container, and the one that runs is not met, whoever is killed there", async () => {
  // Where nothing kept it from this host it would kill what this test has started there, and nothing else.
  const kill = 'test -z "$LIVE" || { kill -9 "$LIVE"; pkill -9 -f "$AGENT/run.sh"; }';
  const agent = await agentWith(`start: {run: exec "$AGENT/run.sh", timeout: 20s}\n${HEALTH}`, tests(kill));
  agent.env["AGENT"] = agent.dir;
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  const sleeper = spawn("sleep", ["1000"]);
  onTestFinished(() => void sleeper.kill("SIGKILL"));
  agent.env["LIVE"] = String(sleeper.pid);
  expect(await agent.running()).toBeGreaterThan(0);
  agent.events();
  const { ok, rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect(ok).toBe(true);
  for (const type of ["stop_agent", "start_agent", "validate_rollback"]) {
    expect(stepOf(rollback, type), type).toMatchObject({ status: "done", remarks: [] });
  }
  // It neither ended nor was another one started beside it.
  expect(agent.events()).toEqual([]);
  expect(await agent.running()).toBeGreaterThan(0);
  expect([sleeper.exitCode, sleeper.signalCode]).toEqual([null, null]);
  expect(left(agent)).toEqual(NOTHING_LEFT);
});

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const SERVER = `const { createServer } = require("node:http");
createServer((_, answer) => answer.end(process.env.KAI_VERSION)).listen(Number(process.env.PORT), "127.0.0.1");
`;
const ASK = `fetch("http://127.0.0.1:" + process.env.PORT).then((answer) => answer.text()).then((text) => {
  if (text !== process.env.KAI_VERSION) throw new Error("another one answers: " + text);
});
`;

test("health on a port of localhost asks the agent of the rehearsal, not the one that runs", async () => {
  const agent = await liveAgent();
  const lifecycle = `start: {run: exec node server.cjs, timeout: 20s}\nhealth: {run: node ask.cjs, timeout: 5s, retries: 9}`;
  agent.env["PORT"] = await freePort();
  const files = { "kai.yaml": kaiYaml(lifecycle), "server.cjs": SERVER, "ask.cjs": ASK };
  await agent.version("1.0.0", files);
  await agent.version("1.1.0");
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  expect(await agent.running()).toBeGreaterThan(0);
  const { ok, problem, rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect([ok, problem]).toEqual([true, null]);
  expect(stepOf(rollback, "validate_rollback")).toMatchObject({ status: "done" });
});

test("where the version that is left cannot be started the rest is rehearsed, and a remark says why", async () => {
  const agent = await liveAgent();
  const yaml = (run: string) =>
    kaiYaml(`start: {run: ${run}, timeout: 20s}\n${HEALTH}\nstop: {run: "echo asked; false"}`);
  await agent.version("1.0.0", { "kai.yaml": yaml("exec ./run.sh") });
  await agent.version("1.1.0", { "kai.yaml": yaml("'echo broken; exit 3'") });
  const { ok, rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect(ok).toBe(true);
  expect(stepOf(rollback, "stop_agent")).toMatchObject({ status: "done", output: null });
  expect(JSON.stringify(stepOf(rollback, "stop_agent"))).toContain("It ended with status 3: broken");
  expect(stepOf(rollback, "start_agent")).toMatchObject({ status: "done" });
});

test("what installs has a network of its own where there can be one, and its failure is told as that of a rollback", async () => {
  const install = "install: {run: 'grep -c : /proc/net/dev; echo no such package; exit 4'}";
  const agent = await agentWith(install, tests("grep -c : /proc/net/dev"));
  const before = observe(agent);
  const ran = await agent.kai("rollback", "1.0.0", "--rehearse", "--json");
  expect(ran.exit).toBe(1);
  const { problem, network, remarks } = ran.json();
  expect(problem).toMatchObject({ code: "E126", message: expect.stringContaining("It ended with status 4") });
  // Its own loopback, and one more.
  expect(problem.hint).toContain(network === "install" ? "2 | no such package" : "1 | no such package");
  expect(remarks).toHaveLength(network === "install" ? 0 : 1);
  expect(observe(agent)).toEqual(before);
  expect(left(agent)).toEqual(NOTHING_LEFT);
});

test("programs in folders of PATH are there, what of this host is not is told", async () => {
  const agent = await agentWith("", tests("from-path"));
  const prefix = path.join(agent.dir, "../own");
  for (const name of ["bin", "lib"]) mkdirSync(path.join(prefix, name), { recursive: true });
  writeFileSync(path.join(prefix, "lib", "word"), "found\n");
  writeFileSync(path.join(prefix, "bin", "from-path"), '#!/bin/sh\ncat "$(dirname "$0")/../lib/word"\n', {
    mode: 0o755,
  });
  const absent = await agent.kai("rollback", "1.0.0", "--rehearse");
  expect(absent.exit).toBe(1);
  expect(absent.stdout).toContain("a program that lies elsewhere is missing there");
  agent.env["PATH"] = `${prefix}/bin:${agent.env["PATH"]}`;
  const { rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect(stepOf(rollback, "validate_rollback")).toMatchObject({ output: "found\n" });
});

test("git finds the objects there that the agent borrows from another repository, which borrows some itself", async () => {
  const agent = await agentWith("", tests("git fsck --strict --no-dangling && git log -1 --format=%s v1.1.0"));
  const objects = path.join(agent.dir, ".git/objects");
  const [lent, more] = [path.join(agent.dir, "../lent"), path.join(agent.dir, "../more")];
  for (const [from, to] of [
    [objects, lent],
    [lent, more],
  ] as const) {
    renameSync(from, to);
    mkdirSync(path.join(from, "info"), { recursive: true });
    writeFileSync(path.join(from, "info/alternates"), `${to}\n`);
  }
  const { rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect(stepOf(rollback, "validate_rollback")).toMatchObject({ status: "done", output: "feat: 1.1.0\n" });
});

test("a command that outlasts its time is ended, and the container goes with it", async () => {
  const agent = await agentWith("", tests("trap '' TERM; echo begun; sleep 1000", ", timeout: 1s"));
  const ran = await agent.kai("rollback", "1.0.0", "--rehearse", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().problem).toMatchObject({ code: "E127", message: expect.stringContaining("looks") });
  expect(left(agent)).toEqual(NOTHING_LEFT);
});

/** Starts a rehearsal and ends it by a signal while its test, which cannot be heard outside, is run in the container. */
async function ended(agent: LiveAgent, signal: NodeJS.Signals, waits: string): Promise<void> {
  const args = [PROGRAM, "rollback", "1.0.0", "--rehearse"];
  const child = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  const over = once(child, "exit");
  await expect
    .poll(() => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(waits), {
      timeout: 60_000,
    })
    .toBe(true);
  child.kill(signal);
  expect(await over).toEqual([null, signal]);
}

let waiting = 0;
/** A command that no other test runs. */
const waitsLong = (): string => `sleep 1000.${process.pid}${++waiting}`;

test("Ctrl-C ends a rehearsal with all that it made", async () => {
  const waits = waitsLong();
  const agent = await agentWith("", tests(waits));
  const before = observe(agent);
  await ended(agent, "SIGINT", waits);
  expect(left(agent)).toEqual(NOTHING_LEFT);
  expect(observe(agent)).toEqual(before);
});

for (const sweeping of [["recover"], ["snapshot", "prune"]]) {
  test(`after SIGKILL ${sweeping.join(" ")} removes what a rehearsal made`, async () => {
    const waits = waitsLong();
    const agent = await agentWith("", tests(waits));
    const before = observe(agent);
    await ended(agent, "SIGKILL", waits);
    expect(left(agent)).toEqual({ folders: [expect.any(String)], containers: [expect.any(String)] });
    await told(agent, ...sweeping);
    expect(left(agent)).toEqual(NOTHING_LEFT);
    expect(observe(agent)).toEqual(before);
  });
}

test("where what is kept about this machine is out of date it is looked at again before commands would meet it", async () => {
  const agent = await agentWith("", tests("true"));
  expect(await told(agent, "rollback", "1.0.0", "--rehearse")).toMatchObject({ isolation: "container" });
  const file = path.join(agent.env["KAI_HOME"] ?? "", "cache", "podman-host.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...kept, host: { ...kept.host, runtime: "/nowhere/runtime" } }));
  expect(await told(agent, "rollback", "1.0.0", "--rehearse")).toMatchObject({ isolation: "container" });
});

/** A folder of all programs that can be had here but one. */
function programsBut(absent: string, agent: LiveAgent): string {
  const bin = path.join(agent.dir, "../bin");
  mkdirSync(bin);
  for (const folder of (agent.env["PATH"] ?? "").split(":").filter((each) => existsSync(each))) {
    for (const name of readdirSync(folder)) {
      if (name !== absent && !existsSync(path.join(bin, name)))
        symlinkSync(path.join(folder, name), path.join(bin, name));
    }
  }
  return bin;
}

test("without Podman, or where snapshots are switched off, commands run on this host, and that is said", async () => {
  const agent = await agentWith(`${START}\n${HEALTH}`, tests('touch "$MET"'));
  agent.env["MET"] = path.join(agent.dir, "../met");
  const bin = programsBut("podman", agent);
  expect(findProgram("podman", [bin])).toBeUndefined();
  const env = { ...agent.env, PATH: bin };
  const rehearsed = await told({ dir: agent.dir, env }, "rollback", "1.0.0", "--rehearse");
  expect(rehearsed).toMatchObject({ ok: true, isolation: "folder", network: "host" });
  expect(rehearsed.notContained).toContain("Podman is not installed");
  expect(stepOf(rehearsed.rollback.plan, "start_agent")).toMatchObject({ applies: false });
  expect(existsSync(agent.env["MET"])).toBe(true);
  const { stdout } = await agent.run(process.execPath, [PROGRAM, "rollback", "1.0.0", "--rehearse"], { PATH: bin });
  expect(stdout).toContain("! Commands ran on this host, and could meet all that is on it");
  expect(stdout).toContain("Nothing was changed, but for what commands did outside of the copy.");
  expect(stdout).toContain("– stop_agent, start_agent: not rehearsed");
  const off = "snapshot_isolation: {enable: false}";
  agent.write("kai.yaml", kaiYaml("", off));
  agent.commit("chore: no snapshots");
  const { isolation, notContained } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect([isolation, notContained]).toEqual(["folder", expect.stringContaining("Snapshots are switched off")]);
  expect(left(agent)).toEqual(NOTHING_LEFT);
});
