import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { createVersion } from "../../src/index.js";
import { whoAsks } from "../../src/snapshot/gate/require-tested.js";
import { parseRunMessage } from "../../src/snapshot/runs/parse-run.js";
import { recordRun } from "../../src/snapshot/runs/record-run.js";
import type { RunRecord } from "../../src/snapshot/runs/run-record.js";
import { kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { buildHistory } from "../../src/version/history.js";
import { tagFormat } from "../../src/version/tag-name.js";
import { type Agent, agentWithVersions, type Ran } from "../support/agent.js";
import { agentOfTwo, signerOf } from "../trust-e2e/agent-of-two.js";

const SCENARIOS = [
  { name: "answers", run: "python3 logic.py", expect: { stdout: "1.0.0" } },
  { name: "mode", run: 'test "$MODE" = good', timeout: "30s" },
];

const GATED = {
  require_snapshot_test: true,
  resource_limits: { storage: "32Mi", memory: "256Mi" },
  secrets: { MODE: "env:MODE" },
  tests: SCENARIOS,
};

/** Writes a kai.yaml of which this is a part, and commits it with all else. */
function commitConfig(agent: Agent, isolation: object): void {
  const temp_dir = path.join(path.dirname(agent.dir), "snapshots");
  const config = {
    agent_id: "ai.example.clerk",
    snapshot_isolation: { temp_dir, ...isolation },
  };
  agent.write("kai.yaml", JSON.stringify(config));
  agent.commit("feat: other rules");
}

/** An agent with version 1.0.0, which asks for no tests, and a commit since that does. */
async function gatedAgent(isolation: object = GATED): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  commitConfig(agent, isolation);
  return agent;
}

/** Runs the scenarios, of which one passes in one mode only; ends with the exit status that this gives. */
async function runTests(agent: Agent, of: string, mode: "good" | "poor", ...options: string[]): Promise<Ran> {
  // The folder of its sandboxes is no other version's.
  const args = ["snapshot", "test", of, "--secret", "MODE=env:MODE", "--trust-config", ...options];
  const program = path.resolve("bin/git-kai-version");
  const ran = await agent.run(process.execPath, [program, ...args], { MODE: mode });
  expect(ran.exit, String(ran)).toBe(mode === "good" ? 0 : 1);
  return ran;
}

/** The error that a command must end with, nothing being changed. */
async function refusal(agent: Agent, ...args: string[]) {
  const before = agent.git("for-each-ref");
  const ran = await agent.kai(...args, "--json");
  expect(ran.exit, String(ran)).toBe(1);
  expect(agent.git("for-each-ref")).toBe(before);
  const { error } = ran.json();
  expect(error).toMatchObject({ code: "E129" });
  return error;
}

const done = async (agent: Agent, ...args: string[]) => {
  const ran = await agent.kai(...args, "--json");
  expect(ran.exit, String(ran)).toBe(0);
  return ran.json();
};

test("what has not passed its tests in a snapshot is neither made a version nor deployed; what has is", async () => {
  const agent = await gatedAgent();
  for (const args of [["create"], ["create", "--dry-run"], ["create", "--type", "release"]]) {
    expect(await refusal(agent, ...args)).toMatchObject({
      message: expect.stringContaining("answers was not run; mode was not run"),
      hint: expect.stringContaining("`git kai-version snapshot test HEAD`"),
      scenarios: [
        { name: "answers", state: "untested" },
        { name: "mode", state: "untested" },
      ],
    });
  }
  const caller = {
    cwd: agent.dir,
    env: agent.env,
    now: () => new Date(),
    progress: () => {},
    onRecovered: () => {},
  };
  const request = { type: undefined, bump: undefined, exact: undefined, description: undefined, tags: [] };
  const flags = { includeChanges: false, allowUnchanged: false, moveCurrent: true, trustCommands: false, dryRun: true };
  await expect(createVersion(caller, { ...request, ...flags })).rejects.toMatchObject({ code: "E129" });

  await runTests(agent, "HEAD", "good");
  expect(await done(agent, "create", "--as", "1.1.0")).toMatchObject({ version: "1.1.0" });
  expect(await done(agent, "deploy", "1.1.0", "--to", "../place")).toMatchObject({ version: "1.1.0" });

  agent.write("logic.py", "print('answer of 1.0.0, and more')\n");
  agent.commit("feat: more");
  expect((await refusal(agent, "create")).message).toContain("answers was not run");
});

test("what has not passed its tests in a snapshot is promoted to testing, and no further", async () => {
  const agent = await gatedAgent();
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  await runTests(agent, "1.1.0", "poor");
  for (const status of ["staging", "production"]) {
    expect(await refusal(agent, "promote", "1.1.0", status)).toMatchObject({
      message: expect.stringContaining("v1.1.0 has not passed its tests in a snapshot"),
      hint: expect.stringContaining("`git kai-version snapshot test 1.1.0`"),
      scenarios: [{ name: "mode", state: "failed" }],
    });
  }
  await refusal(agent, "promote", "1.1.0", "staging", "--dry-run");
  for (const status of ["development", "testing", "archived"]) await done(agent, "promote", "1.1.0", status);
  await done(agent, "deprecate", "1.1.0", "--reason", "it fails");
  await runTests(agent, "1.1.0", "good");
  expect(await done(agent, "promote", "1.1.0", "production")).toMatchObject({ status: "production" });
});

test("the newest run decides, of each scenario", async () => {
  const agent = await gatedAgent();
  await runTests(agent, "HEAD", "good");
  await runTests(agent, "HEAD", "poor");
  expect(await refusal(agent, "create")).toMatchObject({
    message: expect.stringMatching(/asks for it \(require_snapshot_test\): mode failed\.$/),
    scenarios: [{ name: "mode", state: "failed", why: null, run: expect.stringMatching(/^[0-9a-f]{40}$/) }],
  });
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  await runTests(agent, "1.1.0", "poor");
  for (const dry of [[], ["--dry-run"]]) {
    expect(await refusal(agent, "deploy", "1.1.0", "--to", "../place", ...dry)).toMatchObject({
      message: expect.stringContaining("mode failed"),
      hint: expect.stringContaining("`git kai-version snapshot test 1.1.0`"),
    });
  }
  await runTests(agent, "1.1.0", "good");
  await done(agent, "deploy", "1.1.0", "--to", "../place");
});

test("a run that proves less than the version asks for counts for nothing, and snapshot test says so", async () => {
  const agent = await gatedAgent();
  for (const [options, why] of [
    [["--process", "none"], "its process isolation was none"],
    [["--env", "SKIP=1"], "it was given the variables SKIP"],
    [["--memory", "1Gi"], "its limit of memory was higher"],
    [["--network", "bridge"], "its network mode was bridge"],
  ] as const) {
    const ran = await runTests(agent, "HEAD", "good", ...options);
    expect(ran.stderr).toContain(why);
    expect((await refusal(agent, "create")).message).toContain(`the run of answers does not count: ${why}`);
  }
  const stricter = await runTests(agent, "HEAD", "good", "--memory", "128Mi", "--level", "production");
  expect(stricter.stderr).not.toContain("not enough");
  await done(agent, "create", "--as", "1.1.0");
});

test("a version that asks for no tests does not let itself off while the one in force asks for them", async () => {
  const rules = { ...GATED, tests: [{ name: "answers", run: "python3 logic.py" }] };
  const agent = await gatedAgent(rules);
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  commitConfig(agent, { ...rules, require_snapshot_test: false });
  expect((await refusal(agent, "create")).message).toContain(
    "the kai.yaml of v1.1.0, the version in force, asks for it",
  );
  // 1.0.0 has no scenarios: it can come back, and nothing else.
  expect((await refusal(agent, "deploy", "1.0.0", "--to", "../place")).message).toContain("v1.0.0 has no tests");
  await done(agent, "rollback", "1.0.0", "--trust-commands");
  await done(agent, "undo", "--trust-commands");
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.2.0");
  // From here on it is 1.2.0 that says what is asked for.
  agent.write("more.txt", "untested\n");
  agent.commit("feat: untested");
  await done(agent, "create", "--as", "1.3.0");
});

test("without a scenario nothing can pass; a pre-release is there to be tried", async () => {
  const agent = await gatedAgent({ require_snapshot_test: true });
  expect(await refusal(agent, "create")).toMatchObject({
    message: expect.stringContaining("has no tests that it could have passed, and its kai.yaml asks for them"),
    hint: expect.stringContaining("snapshot test HEAD"),
  });
  await refusal(agent, "create", "--type", "release", "--as", "2.0.0-rc.1");
  await done(agent, "create", "--as", "2.0.0-rc.1");
  await refusal(agent, "deploy", "2.0.0-rc.1", "--to", "../place");
});

test("changes that are not committed have been tested by nobody", async () => {
  const agent = await gatedAgent();
  await runTests(agent, "HEAD", "good");
  agent.write("logic.py", "print('untested')\n");
  for (const dry of [[], ["--dry-run"]]) {
    expect(await refusal(agent, "create", "--include-changes", ...dry)).toMatchObject({
      message: expect.stringContaining("nobody has tested"),
      hint: expect.stringContaining("git commit"),
    });
  }
});

test("the run of somebody who is no tester counts for nothing", async () => {
  const config = `snapshot_isolation:\n  require_snapshot_test: true\n  temp_dir: ../snapshots\n  resource_limits: {storage: 32Mi}\n  tests: [{name: a, run: "true"}]\n`;
  const { agent, ada } = await agentOfTwo(config);
  const program = path.resolve("bin/git-kai-version");
  const options = { cwd: agent.dir, env: agent.env, encoding: "utf8", stdio: "pipe" } as const;
  execFileSync(process.execPath, [program, "snapshot", "test", "HEAD", "--trust-config"], options);
  const { stdout } = spawnSync(process.execPath, [program, "create", "--json"], options);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: "E129",
    message: expect.stringContaining(`the key ${ada.fingerprint} that signed it is no tester`),
  });
});

test("a run that was made up, altered or taken from elsewhere counts for nothing", async () => {
  const agent = await gatedAgent({ ...GATED, tests: [{ name: "mode", run: 'test "$MODE" = good' }] });
  await runTests(agent, "HEAD", "poor");
  const repository = await openRepository(agent.dir, agent.env);
  const real = agent.git("rev-parse", "refs/kai/runs");
  const record = parseRunMessage(agent.git("log", "-1", "--format=%B", real)) as RunRecord;
  const passed: RunRecord = { ...record, passed: true, failures: [] };
  const ada = await openSigner({ home: kaiHome(agent.env), env: agent.env });
  const { signer: eve } = await signerOf(agent, "eve");
  const why = async (made: RunRecord, signer: typeof ada | undefined) => {
    agent.git("update-ref", "-d", "refs/kai/runs");
    const empty = Buffer.alloc(0);
    await recordRun(repository, { record: made, stdout: empty, stderr: empty, files: new Map() }, signer, null);
    return (await refusal(agent, "create")).scenarios[0];
  };
  const without = { ...passed.isolation, settings: undefined };
  const broken = { ...passed.isolation, settings: { ...passed.isolation.settings, limits: null } };
  const notWhole = "it does not say how it was isolated";
  expect(await why(passed, undefined)).toMatchObject({ state: "untested", why: "nobody signed it" });
  expect(await why(passed, eve)).toMatchObject({ why: "its signature is unknown-key" });
  expect(await why({ ...passed, actor: null }, ada)).toMatchObject({ why: expect.stringContaining("another key") });
  expect(await why({ ...passed, repo: "0".repeat(32) }, ada)).toMatchObject({
    why: "it was made for another repository",
  });
  expect(await why({ ...passed, pristine: false }, ada)).toMatchObject({ why: expect.stringContaining("begin with") });
  expect(await why({ ...passed, isolation: without as never }, ada)).toMatchObject({ why: notWhole });
  expect(await why({ ...passed, isolation: broken as never }, ada)).toMatchObject({ why: notWhole });
  for (const other of [{ scenarioDigest: `sha256:${"0".repeat(64)}` }, { tree: "0".repeat(40) }]) {
    expect(await why({ ...passed, ...other }, ada)).toMatchObject({ state: "untested", why: null, run: null });
  }

  // The signed failure, with one word changed.
  const raw = execFileSync("git", ["cat-file", "commit", real], { cwd: agent.dir, env: agent.env, encoding: "utf8" });
  agent.write(".git/altered", raw.replace('"passed":false', '"passed":true'));
  const altered = agent.git("hash-object", "-w", "-t", "commit", ".git/altered");
  agent.git("update-ref", "refs/kai/runs", altered);
  expect((await refusal(agent, "create")).scenarios).toMatchObject([{ why: "its signature is bad" }]);

  // As it is when nothing is wrong with it.
  agent.git("update-ref", "-d", "refs/kai/runs");
  const empty = Buffer.alloc(0);
  await recordRun(repository, { record: passed, stdout: empty, stderr: empty, files: new Map() }, ada, null);
  await done(agent, "create", "--as", "1.1.0");
});

test("going back lifts no rule: what was made last without it must have passed, whatever is in force", async () => {
  const rules = { ...GATED, tests: [{ name: "answers", run: "python3 logic.py" }] };
  const agent = await gatedAgent(rules);
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  agent.write("logic.py", "print('untested')\n");
  commitConfig(agent, { ...rules, require_snapshot_test: false });
  const untested = agent.git("rev-parse", "HEAD");
  const bringBack = () => {
    agent.git("checkout", untested, "--", ".");
    agent.git("commit", "--allow-empty", "-qm", "feat: untested");
  };
  const last = { message: expect.stringContaining("the kai.yaml of v1.1.0, the version made last, asks for it") };

  // It has no tests that it could have passed, and was in force: that it comes back is no risk.
  const back = await done(agent, "rollback", "1.0.0", "--trust-commands");
  expect(back.plan.risks).not.toContainEqual(expect.objectContaining({ kind: "untested_target" }));
  bringBack();
  for (const args of [["create"], ["create", "--as", "3.0.0"]])
    expect(await refusal(agent, ...args)).toMatchObject(last);

  // A pre-release may be made, and even come into force; it frees nobody.
  await done(agent, "create", "--as", "1.2.0-rc.1");
  const forward = await done(agent, "rollback", "1.2.0-rc.1", "--trust-commands");
  expect(forward.plan.risks).toContainEqual(expect.objectContaining({ kind: "untested_target", severity: "high" }));
  agent.write("more.txt", "untested\n");
  agent.commit("feat: more");
  expect(await refusal(agent, "create")).toMatchObject(last);
  await refusal(agent, "deploy", "1.2.0-rc.1", "--to", "../place");

  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.3.0");
  agent.write("more.txt", "free\n");
  agent.commit("feat: free");
  await done(agent, "create", "--as", "1.4.0");
});

test("undoing the version that brought the rule does not lift it", async () => {
  const rules = { ...GATED, tests: [{ name: "answers", run: "python3 logic.py" }] };
  const agent = await gatedAgent(rules);
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  await done(agent, "undo", "--trust-commands");
  commitConfig(agent, { ...rules, require_snapshot_test: false });
  expect((await refusal(agent, "create")).message).toContain("v1.1.0, the version made last,");
});

test("a pass that was compared with no version before does not count where one has that scenario; the hint leads out", async () => {
  const slow = { name: "speed", kind: "performance", run: "sleep 0.1", expect: { worse_than_before: "99999%" } };
  const agent = await gatedAgent({ ...GATED, tests: [slow] });
  // Nothing before has it.
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.1.0");
  await done(agent, "deploy", "1.1.0", "--to", "../place");

  agent.write("logic.py", "print('more')\n");
  agent.commit("feat: more");
  // As in a clone.
  rmSync(path.join(agent.dir, ".git/kai/cache"), { recursive: true });
  expect((await runTests(agent, "HEAD", "good")).stderr).toContain("compared with no version before");
  expect(await refusal(agent, "create")).toMatchObject({
    message: expect.stringContaining("the run of speed does not count: it was compared with no version before"),
    hint: expect.stringContaining("`git kai-version snapshot test current && git kai-version snapshot test HEAD`"),
  });
  await runTests(agent, "current", "good");
  await runTests(agent, "HEAD", "good");
  await done(agent, "create", "--as", "1.2.0");
});

test("a kai.yaml that is a link lets nothing off, whatever its text says", async () => {
  const agent = await gatedAgent({ ...GATED, require_snapshot_test: false });
  const reader = new ObjectReader(await openRepository(agent.dir, agent.env));
  onTestFinished(() => reader.close());
  const ground = { reader, history: buildHistory([], [], tagFormat("v{version}")) };
  expect(await whoAsks(ground, "HEAD")).toBe(null);
  rmSync(path.join(agent.dir, "kai.yaml"));
  symlinkSync("{agent_id: ai.example.clerk}", path.join(agent.dir, "kai.yaml"));
  agent.commit("feat: rules by a link");
  expect(await whoAsks(ground, "HEAD")).toBe("its kai.yaml");
});
