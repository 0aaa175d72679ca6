import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { chooseBase } from "../../src/snapshot/sandbox/choose-base.js";
import { planSettings, type SnapshotOptions } from "../../src/snapshot/snapshot-settings.js";
import { testVersion } from "../../src/snapshot/testing/test-version.js";
import type { Caller } from "../../src/version/writing-session.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const SMALL = "resource_limits: {storage: 32Mi, memory: 256Mi}";
const TESTS = `${SMALL}
  tests:
    - {name: answers, run: "python3 logic.py", expect: {stdout: "1.0.0"}}
    - {name: refuses, kind: integration, run: "echo no >&2; exit 3", expect: {exit_code: 3}, timeout: 1m}
    - {name: wrong, run: "echo moon", expect: {stdout: sun}}`;

/** An agent whose version 1.1.0 has this in its kai.yaml, and these files beside. */
async function agentOf(isolation: string, files: Readonly<Record<string, string>> = {}): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  const temp = /temp_dir/.test(isolation) ? "" : `temp_dir: ${path.join(path.dirname(agent.dir), "snapshots")}\n  `;
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation:\n  ${temp}${isolation}\n`);
  for (const [name, text] of Object.entries(files)) agent.write(name, text);
  agent.git("-c", "filter.lfs.process=", "-c", "filter.lfs.clean=cat", "add", "--all");
  agent.git("commit", "--quiet", "-m", "feat: be tested");
  const made = await agent.kai("create", "--as", "1.1.0");
  expect(made.exit, String(made)).toBe(0);
  return agent;
}

const callerOf = ({ dir, env }: Agent): Caller => ({
  cwd: dir,
  env,
  now: () => new Date(),
  progress: () => {},
  onRecovered: () => {},
});

const tested = (agent: Agent, ...command: string[]) => {
  const [program, ...args] = command;
  const asked = program === undefined ? undefined : ([program, ...args] as const);
  return testVersion(callerOf(agent), { version: "1.1.0", command: asked, options: {}, wait: true });
};

test("every scenario of kai.yaml is run over the version, and judged", async () => {
  const result = await tested(await agentOf(TESTS));
  expect(result).toMatchObject({ version: "1.1.0", passed: false, notes: [] });
  expect(result.tests.map(({ name, kind, passed, failures }) => ({ name, kind, passed, failures }))).toEqual([
    { name: "answers", kind: "functionality", passed: true, failures: [] },
    { name: "refuses", kind: "integration", passed: true, failures: [] },
    { name: "wrong", kind: "functionality", passed: false, failures: ['stdout lacks "sun"; it is "moon\\n".'] },
  ]);
  expect(new Set(result.tests.map(({ id }) => id)).size).toBe(3);
});

test("a command of the caller's is run instead, over the version and not over what lies about", async () => {
  const agent = await agentOf(SMALL);
  writeFileSync(path.join(agent.dir, "logic.py"), "raise SystemExit('not committed')");
  const result = await tested(agent, "python3", "logic.py", "a b");
  expect(result.tests).toMatchObject([
    { name: null, kind: null, stdout: "answer of 1.0.0\n", passed: true, artifacts: [] },
  ]);
  expect(readdirSync(path.join(path.dirname(agent.dir), "snapshots"))).toEqual([]);
  expect(await agent.kai("snapshot", "list", "--json").then((ran) => ran.json())).toMatchObject({ total: 0 });
});

test("a command that a signal ends has failed, and what it leaves behind is buried", async () => {
  const agent = await agentOf(SMALL);
  const suicide = await tested(agent, "python3", "-c", "import os; os.kill(os.getpid(), 9); print('still alive')");
  expect(suicide).toMatchObject({ passed: false, tests: [{ exitCode: 137, stdout: "", stderr: "" }] });
  const missing = await tested(agent, "no-such-program");
  expect(missing.tests).toMatchObject([{ exitCode: 127, stderr: expect.stringContaining("no-such-program") }]);
  const shellWord = await tested(agent, "exit", "0");
  expect(shellWord.tests).toMatchObject([{ exitCode: 127 }]);
  const orphans = `import os, time
for _ in range(40):
    if os.fork() == 0:
        if os.fork() > 0: os._exit(0)
        os._exit(0)
    os.wait()
time.sleep(0.3)
print(sum(open(f"/proc/{p}/stat").read().split(") ")[1][0] == "Z" for p in os.listdir("/proc") if p.isdigit()))`;
  expect((await tested(agent, "python3", "-c", orphans)).tests).toMatchObject([{ exitCode: 0, stdout: "0\n" }]);
});

test("a relative temp_dir lies in the agent's folder, and one that Podman cannot mount is refused at once", async () => {
  const relative = await agentOf("temp_dir: .sandboxes");
  expect((await tested(relative, "true")).passed).toBe(true);
  expect(existsSync(path.join(relative.dir, ".sandboxes"))).toBe(true);
  for (const name of ["a,b", "a:b"]) {
    const agent = await agentOf(`temp_dir: "${name}"`);
    await expect(tested(agent, "true")).rejects.toMatchObject({
      code: "E103",
      message: expect.stringContaining(name),
    });
    expect(existsSync(path.join(agent.dir, name))).toBe(false);
  }
});

test("files that Git LFS keeps are counted: the sandbox has their pointers", async () => {
  const pointer = (digit: string) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 100\n`;
  const files = { ".gitattributes": "*.bin filter=lfs -text\n", "a.bin": pointer("1"), "b.bin": pointer("2") };
  const result = await tested(await agentOf(SMALL, files), "head", "-n1", "a.bin");
  expect(result.tests[0]?.stdout).toBe("version https://git-lfs.github.com/spec/v1\n");
  expect(result.notes).toEqual(["2 files are kept by Git LFS: the sandbox sees the pointers, not the content."]);
});

test("with neither command nor scenario there is nothing to run", async () => {
  await expect(tested(await agentOf(SMALL))).rejects.toMatchObject({
    code: "E122",
    hint: expect.stringContaining("tests:"),
  });
});

const settingsOf = (text: string, options: SnapshotOptions = {}) =>
  planSettings(
    parseAgentConfig(`agent_id: ai.example.a\nsnapshot_isolation: ${text}\n`, "kai.yaml").snapshot_isolation,
    options,
  );

test("kai.yaml's limits and security are what the sandbox gets, and the caller's options go before", () => {
  const limits = "{cpu: '0.5', memory: 1Gi, storage: 2G, pids: 7, timeout: 30s, network_bandwidth: 1Mbps}";
  const text = `{resource_limits: ${limits}, security: {run_as_user: 7}, cleanup_after: 2h}`;
  expect(settingsOf(text)).toMatchObject({
    type: "copy_on_write",
    limits: { cpus: 0.5, memoryBytes: 2 ** 30, storageBytes: 2e9, pids: 7, timeoutMs: 30_000, bandwidth: 1e6 },
    security: { user: { uid: 7, gid: 1000 }, seccomp: true, capabilities: [] },
    ttlMs: 7_200_000,
  });
  expect(settingsOf(text, { cpus: "1", memory: "5M", pids: "9", bandwidth: "2Mbps", ttl: "1h" })).toMatchObject({
    limits: { cpus: 1, memoryBytes: 5e6, pids: 9, bandwidth: 2e6 },
    ttlMs: 3_600_000,
  });
});

test("a level gives namespaces, capabilities and root on top of what kai.yaml says of security", () => {
  const text = "{security: {capabilities: [CHOWN], read_only_root: false}}";
  expect(settingsOf(text)).toMatchObject({ level: null, security: { capabilities: ["CHOWN"], readOnlyRoot: false } });
  expect(settingsOf(text, { level: "development" })).toMatchObject({
    namespaces: ["pid", "mount", "network"],
    security: { capabilities: ["CHOWN", "NET_BIND_SERVICE"], readOnlyRoot: false },
  });
  expect(settingsOf(text, { level: "production" })).toMatchObject({
    namespaces: ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"],
    security: { readOnlyRoot: true },
  });
});

test("no GPU can be asked for, whatever kai.yaml says", () => {
  const text = "{resource_limits: {gpu: all}}";
  expect(settingsOf(text, {}).limits.gpus).toBe("all");
  expect(settingsOf(text, { gpus: "0" }).limits.gpus).toBe(null);
});

test("options that mean nothing together, or cannot be read, are refused and not guessed at", () => {
  for (const options of [
    { allowHosts: ["a.example"] },
    { network: "bridge", allowHosts: ["a.example"] },
    { network: "isolated", env: ["HTTP_PROXY=http://a.example"] },
    { network: "isolated", secrets: ["http_proxy=env:TOKEN"] },
    { ttl: "36501d" },
    { network: "isolated", allowHosts: ["http://x"] },
    { network: "isolated", allowHosts: ["a.example", "10.1.2.3"] },
    { network: "isolated", allowHosts: ["[::1]:80"] },
    { type: "layered" },
    { type: "full", base: "01K" },
    { cpus: "0" },
    { cpus: "many" },
    { memory: "1" },
    { pids: "1.5" },
    { pids: "0" },
    { memory: "-1" },
    { gpus: "some" },
    { env: ["=x"] },
    { env: ["NAME"] },
    { secrets: ["UNKNOWN"] },
    { secrets: ["KEY=nowhere"] },
  ] as const satisfies readonly SnapshotOptions[]) {
    expect(() => settingsOf("{}", options), JSON.stringify(options)).toThrow(expect.objectContaining({ code: "E122" }));
  }
});

test("the base is the image of the agent's runtime, else the custom one, else E103 with the way out", () => {
  const images = { python: "python:3.11-slim", node: "host" };
  expect(chooseBase(images, "python")).toEqual({ kind: "image", name: "python:3.11-slim", runtime: "python" });
  expect(chooseBase(images, "node")).toEqual({ kind: "host" });
  expect(chooseBase({ custom: "agent-base" }, "python")).toEqual({
    kind: "image",
    name: "agent-base",
    runtime: "custom",
  });
  expect(() => chooseBase(images, "other")).toThrow("names nothing to run this agent in (custom)");
});

test("snapshots that are switched off, and engines that there are not, are refused", () => {
  for (const text of ["{enable: false}", "{container_runtime: docker}"]) {
    expect(() => settingsOf(text)).toThrow(expect.objectContaining({ code: "E103" }));
  }
});

test("of a run that has failed nothing is committed, which it says where it changed something", async () => {
  const agent = await snapshotAgent({});
  const failed = await agent.snapshot(
    "run",
    "1.1.0",
    "--json",
    "--commit",
    "--",
    "sh",
    "-c",
    "echo new > new.txt; exit 3",
  );
  expect(failed.exit).toBe(3);
  expect(failed.json()).toMatchObject({ branch: null, notCommitted: expect.stringContaining("rollback_on_error") });
  expect(failed.stderr).toContain("What it changed was not committed: it has failed");
  const idle = await agent.snapshot("run", "1.1.0", "--json", "--commit", "--", "sh", "-c", "exit 3");
  expect(idle.json()).toMatchObject({ branch: null, notCommitted: null });
});

test("what is refused of what a test changed loses no result, and the others go on", async () => {
  const tests = [
    { name: "plants", run: "echo evil >> check.sh; exit 3" },
    { name: "checks", run: "sh check.sh; echo new > new.txt" },
  ];
  const isolation = { tests, commit_changes: true, rollback_on_error: false };
  const agent = await snapshotAgent(isolation, { "check.sh": "true\n" });
  const ran = await agent.snapshot("test", "1.1.0", "--json");
  expect(ran.exit, String(ran)).toBe(1);
  const { tests: results, passed } = ran.json();
  expect(passed).toBe(false);
  expect(results).toMatchObject([
    {
      name: "plants",
      exitCode: 3,
      branch: null,
      notCommitted: expect.stringMatching(/check\.sh \(the test checks.*`--allow-executable` takes it/),
    },
    { name: "checks", passed: true, branch: expect.stringContaining("kai/snapshot/"), notCommitted: null },
  ]);
  expect(ran.stderr).toContain("What plants changed was not committed:");
  // The failure is kept: an older pass would count without it.
  expect(agent.git("log", "--format=%H %s", "refs/kai/runs").split("\n")).toEqual([
    `${results[1].run} run checks in v1.1.0: passed`,
    `${results[0].run} run plants in v1.1.0: failed`,
  ]);

  const once = await agent.snapshot("run", "1.1.0", "--json", "--commit", "--", "sh", "-c", "echo evil >> check.sh");
  expect(once.exit, String(once)).toBe(1);
  expect(once.json()).toMatchObject({ exitCode: 0, passed: true, branch: null, run: expect.any(String) });
  expect(once.stderr).toContain("What it changed was not committed:");
  const asked = await agent.snapshot("test", "1.1.0", "--allow-executable", "--", "sh", "-c", "echo good >> check.sh");
  expect(asked.exit, String(asked)).toBe(0);
  expect(asked.stdout).toMatch(/^ {4}✓ Committed to kai\/snapshot\/\S+\n {6}runs {5}check\.sh: the test checks/m);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});
