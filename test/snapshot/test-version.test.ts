import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/config.js";
import { openRepository } from "../../src/git/repository.js";
import { compareWithEarlier } from "../../src/snapshot/earlier-results.js";
import { chooseBase, sandboxSettings } from "../../src/snapshot/sandbox-settings.js";
import { testVersion } from "../../src/snapshot/test-version.js";
import { parseNumber } from "../../src/version/number.js";
import { scratch } from "../support/scratch.js";
import { sharedCache } from "./sandbox.js";

const cacheDir = sharedCache();
const TESTS = `agent_id: ai.example.summariser
snapshot_isolation:
  resource_limits: {storage: 32Mi, memory: 256Mi}
  tests:
    - {name: answers, run: "python3 logic.py --ask hello", expect: {stdout: "HELLO"}}
    - {name: refuses, kind: integration, run: "echo no >&2; exit 3", expect: {exit_code: 3}, timeout: 1m}
    - {name: wrong, run: "echo moon", expect: {stdout: sun}}
`;

async function agentOf(kaiYaml: string, files: Readonly<Record<string, string>> = {}) {
  const { dir, env } = scratch();
  const root = path.join(dir, "agent");
  mkdirSync(root);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, env, encoding: "utf8" }).trim();
  git("init", "--quiet");
  writeFileSync(path.join(root, "kai.yaml"), kaiYaml);
  writeFileSync(path.join(root, "logic.py"), "import sys\nprint(sys.argv[2].upper())\n");
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
  // Pointers are what is written here, so git-lfs has nothing to do.
  git("-c", "filter.lfs.process=", "-c", "filter.lfs.clean=cat", "add", "--all");
  git("commit", "--quiet", "-m", "agent");
  const repository = await openRepository(root, env);
  return {
    repository,
    commit: git("rev-parse", "HEAD"),
    config: parseAgentConfig(kaiYaml, "kai.yaml"),
    env,
    kaiDir: path.join(repository.commonDir, "kai"),
    cacheDir,
    tempDir: path.join(dir, "temp"),
  };
}

test("every scenario of kai.yaml is run over the version, and judged", async () => {
  const result = await testVersion(await agentOf(TESTS));
  expect(result).toMatchObject({ base: "host", passed: false, notes: [] });
  expect(result.tests.map(({ name, kind, passed, failures }) => ({ name, kind, passed, failures }))).toEqual([
    { name: "answers", kind: "functionality", passed: true, failures: [] },
    { name: "refuses", kind: "integration", passed: true, failures: [] },
    { name: "wrong", kind: "functionality", passed: false, failures: ['stdout lacks "sun"; it is "moon\\n".'] },
  ]);
  expect(new Set(result.tests.map(({ id }) => id)).size).toBe(3);
});

test("a command of the caller's is run instead, over the version and not over what lies about", async () => {
  const agent = await agentOf("agent_id: ai.example.a\n");
  writeFileSync(path.join(agent.repository.workTree ?? "", "logic.py"), "raise SystemExit('not committed')");
  const result = await testVersion({ ...agent, command: ["python3", "logic.py", "--ask", "a b"] });
  expect(result.tests).toMatchObject([{ name: null, kind: null, stdout: "A B\n", passed: true, artifacts: [] }]);
  expect(result.passed).toBe(true);
});

test("a relative temp_dir lies in the agent's folder, and one that Podman cannot mount is refused at once", async () => {
  const inside = (tempDir: string) => `agent_id: ai.example.a\nsnapshot_isolation: {temp_dir: "${tempDir}"}\n`;
  const relative = { ...(await agentOf(inside(".sandboxes"))), tempDir: undefined, command: ["true"] };
  expect((await testVersion(relative)).passed).toBe(true);
  expect(existsSync(path.join(relative.repository.workTree ?? "", ".sandboxes"))).toBe(true);
  for (const name of ["a,b", "a:b"]) {
    const agent = { ...(await agentOf(inside(name))), tempDir: undefined, command: ["true"] };
    await expect(testVersion(agent)).rejects.toMatchObject({ code: "E103", message: expect.stringContaining(name) });
    expect(existsSync(path.join(agent.repository.workTree ?? "", name))).toBe(false);
  }
});

test("a scenario is compared with the version before where that was tested here, and what it took is kept", async () => {
  const scenario = '{name: answers, run: "echo moon", expect: {worse_than_before: 20%}}';
  const agent = await agentOf(`agent_id: ai.example.a\nsnapshot_isolation:\n  tests: [${scenario}]\n`);
  const compare = (version: string) =>
    compareWithEarlier(agent.repository, {
      place: "sandbox",
      version,
      before: [{ tagId: "before", number: parseNumber("1.0.0") }],
    });
  mkdirSync(path.join(agent.kaiDir, "cache"), { recursive: true });
  const first = await testVersion({ ...agent, comparison: await compare("before") });
  expect(first).toMatchObject({
    passed: true,
    notes: ["answers is compared with no version before: none was tested on this machine."],
  });
  const file = path.join(agent.kaiDir, "cache/test-results.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  kept.sandbox.answers.before[0].durationMs = 0.001;
  writeFileSync(file, JSON.stringify(kept));
  const second = await testVersion({ ...agent, comparison: await compare("after") });
  expect(second).toMatchObject({ passed: false, notes: [] });
  expect(second.tests[0]?.failures).toEqual([
    expect.stringMatching(/^It took \d+ ms, with 1\.0\.0 0 ms: at most 20% more were expected\.$/),
  ]);
  expect(JSON.parse(readFileSync(file, "utf8")).sandbox.answers).not.toHaveProperty("after");
});

test("files that Git LFS keeps are counted: the sandbox has their pointers", async () => {
  const pointer = (digit: string) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 100\n`;
  const files = { ".gitattributes": "*.bin filter=lfs -text\n", "a.bin": pointer("1"), "b.bin": pointer("2") };
  const agent = await agentOf("agent_id: ai.example.a\n", files);
  const result = await testVersion({ ...agent, command: ["head", "-n1", "a.bin"] });
  expect(result.tests[0]?.stdout).toBe("version https://git-lfs.github.com/spec/v1\n");
  expect(result.notes).toEqual(["2 files are kept by Git LFS: the sandbox sees the pointers, not the content."]);
});

test("with neither command nor scenario there is nothing to run", async () => {
  const agent = await agentOf("agent_id: ai.example.a\n");
  await expect(testVersion(agent)).rejects.toMatchObject({ code: "E122", hint: expect.stringContaining("tests:") });
});

const isolationOf = (text: string) =>
  parseAgentConfig(`agent_id: ai.example.a\nsnapshot_isolation: ${text}\n`, "kai.yaml").snapshot_isolation;

test("kai.yaml's limits, security and base are what the sandbox gets", () => {
  const settings = sandboxSettings(
    isolationOf(
      "{resource_limits: {cpu: '0.5', memory: 1Gi, storage: 2G, pids: 7, timeout: 30s}, security: {run_as_user: 7}}",
    ),
    "python",
  );
  expect(settings).toMatchObject({
    base: { kind: "host" },
    limits: { cpus: 0.5, memoryBytes: 2 ** 30, storageBytes: 2e9, pids: 7, timeoutMs: 30_000 },
    security: { user: { uid: 7, gid: 1000 }, seccomp: true, capabilities: [] },
    notes: [],
  });
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

test("what cannot be had yet is refused or said, never dropped in silence", () => {
  for (const text of [
    "{enable: false}",
    "{container_runtime: docker}",
    "{default_isolation: vm}",
    "{resource_limits: {gpu: all}}",
  ]) {
    expect(() => sandboxSettings(isolationOf(text), "python")).toThrow(expect.objectContaining({ code: "E103" }));
  }
  const asked =
    "{network: {mode: isolated, allowed_hosts: [api.example.com]}, secrets: {KEY: 'env:KEY'}, filesystem: tmpfs}";
  expect(sandboxSettings(isolationOf(asked), "python").notes).toEqual([
    "Network mode isolated is not in effect yet: nothing can be reached.",
    "Secrets are not given to the sandbox yet.",
    "File system tmpfs is not in effect yet: an overlay is used.",
  ]);
});
