import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { entryAt, leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const read = (agent: Agent, name: string) => readFileSync(path.join(agent.dir, name), "utf8");
const PROMPT = (version: string) => `You are a clerk.\nYou answer as ${version} does.\n`;
const LOGIC = (version: string) => `print("answer of ${version}")\n`;

test("selective: the component alone goes back, as a version of its own above all numbers", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.4.0");
  await told(agent, "rollback", "1.1.0");
  const back = await told(agent, "rollback", "1.0.0", "--component", "prompts");
  expect(back).toMatchObject({ type: "selective", from: "1.1.0", to: "1.0.0", version: "1.4.1", stateBackup: null });
  expect([read(agent, "prompts/system.md"), read(agent, "logic.py")]).toEqual([PROMPT("1.0.0"), LOGIC("1.1.0")]);
  expect(read(agent, "state.json")).toBe('{"seen": "1.1.0"}\n');
  expect(await told(agent, "current")).toMatchObject({ version: "1.4.1", commit: back.commit });
  const shown = await told(agent, "show", "1.4.1");
  expect(shown.record).toMatchObject({ type: "rollback", parent: "1.1.0", commit: back.commit });
  expect(agent.git("log", "-1", "--format=%B")).toContain("Kai-Components: prompts");
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(leftovers(agent)).toEqual([]);
  agent.write("logic.py", "more\n");
  agent.commit("fix: more");
  expect(await told(agent, "create")).toMatchObject({ version: "1.4.2", parent: "1.4.1" });
});

test("stock git verifies the tag of a version that a rollback made", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "rollback", "1.0.0", "--component", "code");
  const key = (await agent.kai("key", "export")).stdout;
  await agent.run("sh", ["-c", 'mkdir -m 700 -p "$GNUPGHOME"; printf %s "$0" | gpg --batch --quiet --import', key]);
  agent.git("verify-tag", "v1.1.1");
  expect(agent.git("fsck", "--strict", "--no-dangling")).toBe("");
  expect(agent.git("log", "-1", "--format=%s", "v1.1.1")).toBe("Roll back code to v1.0.0");
  expect(agent.git("log", "-1", "--format=%s", "refs/kai/log")).toBe("rollback v1.1.0 -> v1.0.0 (code)");
});

test("selective: the state alone, and the state with a component", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("state.json", '{"seen": "live"}\n');
  const back = await told(agent, "rollback", "1.0.0", "--component", "state");
  expect(back).toMatchObject({ version: "1.1.0", to: "1.0.0", commit: null, plan: { mints: null, stateAlone: true } });
  expect([read(agent, "state.json"), read(agent, "logic.py")]).toEqual(['{"seen": "1.0.0"}\n', LOGIC("1.1.0")]);
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
  await told(agent, "undo");
  expect(read(agent, "state.json")).toBe('{"seen": "live"}\n');
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  await told(agent, "rollback", "1.0.0", "--component", "state", "--component", "prompts");
  expect([read(agent, "state.json"), read(agent, "prompts/system.md")]).toEqual([
    '{"seen": "1.0.0"}\n',
    PROMPT("1.0.0"),
  ]);
});

test("selective: state with a component of which nothing differs is the state alone", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const back = await told(agent, "rollback", "1.0.0", "--component", "state", "--component", "tools");
  expect([back.version, read(agent, "state.json")]).toEqual(["1.1.0", '{"seen": "1.0.0"}\n']);
});

test("of a part nobody says that it undoes commits; of a whole version it is said which", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const planned = async (...args: string[]) => {
    const { plan, undone } = await told(agent, "rollback", "1.0.0", ...args, "--dry-run");
    const does = plan.steps.find(({ type }: { type: string }) => type === "restore_code").does;
    return [does, plan.undone, undone];
  };
  expect(await planned()).toEqual(["put 2 files in place by one commit that undoes 2 commits", 2, 2]);
  for (const part of [
    ["--component", "prompts"],
    ["--path", "logic.py"],
  ])
    expect(await planned(...part)).toEqual(["put 1 file in place by one commit", 0, 0]);
});

test("where the state of the target was forgotten or is in another clone, the plan, the result and --suggest say so", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await told(agent, "state", "forget", "1.1.0");
  agent.git("update-ref", "-d", "refs/kai/state/v1.0.0");
  const missing = async (version: string, ...more: string[]) => {
    const { plan } = await told(agent, "rollback", version, "--dry-run", ...more);
    return plan.risks.filter(({ kind }: { kind: string }) => kind === "state_missing");
  };
  const risk = (why: string) => ({
    kind: "state_missing",
    severity: "medium",
    message: `the state that was captured with ${why}: the agent goes on with its live state`,
  });
  expect(await missing("1.1.0")).toEqual([risk("v1.1.0 was forgotten")]);
  expect(await missing("1.0.0")).toEqual([risk("v1.0.0 is not in this clone")]);
  expect(await missing("1.1.0", "--keep-state")).toEqual([]);
  expect(await missing("1.1.0", "--component", "prompts")).toEqual([]);
  const { targets } = await told(agent, "rollback", "--suggest");
  expect(targets.map(({ version, hasState }: { version: string; hasState: boolean }) => [version, hasState])).toEqual([
    ["1.0.0", true],
    ["1.1.0", false],
  ]);
  expect(targets[1].evidence).toContain("its state was forgotten: the live state would stay");
  const back = await told(agent, "rollback", "1.1.0");
  expect(back.plan.state).toEqual({ kind: "live", why: "the state that was captured with v1.1.0 was forgotten" });
  expect(read(agent, "state.json")).toBe('{"seen": "1.2.0"}\n');
});

test("state that nobody captured is not taken back", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.remove("state.json");
  agent.commit("feat: nothing");
  await told(agent, "create", "--as", "1.1.0", "--allow-unchanged");
  await told(agent, "create", "--as", "1.2.0", "--allow-unchanged");
  await told(agent, "state", "forget", "1.0.0");
  const before = observe(agent);
  expect(await refused(agent, "rollback", "1.0.0", "--component", "state")).toMatchObject({ code: "E101" });
  const both = await refused(agent, "rollback", "1.1.0", "--component", "state", "--keep-state");
  expect(both).toMatchObject({ code: "E122", exit: 2 });
  expect(observe(agent)).toEqual(before);
});

test("selective: nothing that differs is refused, and so is what is no component", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = observe(agent);
  expect(await refused(agent, "rollback", "1.0.0", "--component", "tools")).toMatchObject({ code: "E109" });
  expect(await refused(agent, "rollback", "1.0.0", "--component", "")).toMatchObject({ code: "E122" });
  expect(await refused(agent, "rollback", "1.0.0", "--component", "prompt")).toMatchObject({ code: "E122" });
  expect(await refused(agent, "rollback", "1.0.0", "--type", "selective")).toMatchObject({
    code: "E122",
    message: "Type selective takes --component.",
  });
  expect(observe(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
});

test("partial: a file, a folder and a glob", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  for (const [name, option] of [
    ["logic.py", "logic.py"],
    ["prompts/system.md", "./prompts/"],
    ["prompts/system.md", "prompts/*.md"],
    ["logic.py", "*.py"],
  ] as const) {
    const back = await told(agent, "rollback", "1.0.0", "--path", option);
    expect(back.type).toBe("partial");
    expect(agent.git("diff", "--name-only", "HEAD~", "HEAD")).toBe(name);
    expect(agent.git("rev-parse", `HEAD:${name}`)).toBe(agent.git("rev-parse", `v1.0.0:${name}`));
    await told(agent, "undo");
  }
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
});

test("partial: a file where a folder is, a folder where a file is, and what the target lacks", async () => {
  const agent = await agentWithVersions();
  agent.write("a", "file\n");
  agent.write("b/inner", "inner\n");
  agent.commit("feat: one");
  await told(agent, "create", "--as", "1.0.0");
  agent.remove("a");
  agent.remove("b");
  agent.write("a/inner", "inner\n");
  agent.write("b", "file\n");
  agent.write("c/new", "new\n");
  agent.commit("feat: two");
  await told(agent, "create", "--as", "1.1.0", "--allow-unchanged");
  await told(agent, "rollback", "1.0.0", "--path", "a", "--path", "b", "--path", "c");
  expect([read(agent, "a"), read(agent, "b/inner")]).toEqual(["file\n", "inner\n"]);
  expect(agent.git("ls-files", "a", "b", "c")).toBe("a\nb/inner");
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("partial: a path outside, an absolute one and an empty one are refused", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = observe(agent);
  for (const hostile of [
    "../logic.py",
    "prompts/../../x",
    "/etc/passwd",
    path.join(agent.dir, "logic.py"),
    "",
    "..",
    "../*",
  ]) {
    expect(await refused(agent, "rollback", "1.0.0", "--path", hostile), hostile).toMatchObject({ code: "E122" });
  }
  for (const none of [
    "nothing",
    "logic.py/x",
    "!logic.py",
    "[",
    ":(top)logic.py",
    "prompts/system.md\n\nKai-Version: 9.9.9",
  ]) {
    expect(await refused(agent, "rollback", "1.0.0", "--path", none), none).toMatchObject({ code: "E109" });
  }
  expect(observe(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
});

test("a path with a line break writes no trailer of its own", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "rollback", "1.0.0", "--path", "logic.py", "--path", "x\n\nKai-Version: 9.9.9");
  expect(agent.git("log", "-1", "--format=%(trailers:key=Kai-Version,valueonly)").trim()).toBe("1.1.1");
  expect(agent.git("log", "-1", "--format=%s")).toBe("Roll back logic.py, x Kai-Version: 9.9.9 to v1.0.0");
});

test("snapshot: behind a rollback are the files and the state that it found", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  agent.write("state.json", '{"seen": "live"}\n');
  const first = await told(agent, "rollback", "1.0.0");
  expect(first.stateBackup).toBe(`refs/kai/backup/${first.operation}-state`);
  const shown = await agent.kai("rollback", first.operation, "--type", "snapshot");
  expect(shown.stdout).toContain(
    `\nThe agent's state is that which was saved before the operation ${first.operation}.\n`,
  );
  await told(agent, "undo");
  const second = await told(agent, "rollback", first.operation, "--type", "snapshot");
  expect(second).toMatchObject({ type: "snapshot", to: "1.2.0", version: "1.2.0" });
  expect([read(agent, "state.json"), read(agent, "logic.py")]).toEqual(['{"seen": "live"}\n', LOGIC("1.2.0")]);
  expect(await refused(agent, "rollback", "1.2.0")).toMatchObject({ code: "E109" });
  expect(await refused(agent, "rollback", "01ZZZZ", "--type", "snapshot")).toMatchObject({ code: "E101" });
});

test("snapshot: commits that were no version become one", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "not versioned\n");
  agent.commit("feat: not versioned");
  const first = await told(agent, "rollback", "1.0.0");
  const back = await told(agent, "rollback", first.operation, "--type", "snapshot");
  expect([back.version, read(agent, "logic.py")]).toEqual(["1.1.1", "not versioned\n"]);
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
});

test("emergency: skips conditions, tests and depth, never journal, backup and signature", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const back = await told(agent, "rollback", "1.0.0", "--type", "emergency");
  expect(back).toMatchObject({ type: "emergency", version: "1.0.0", plan: { policy: "emergency", conditions: [] } });
  expect(back.stateBackup).not.toBeNull();
  expect(entryAt(agent, "refs/kai/log").details).toMatchObject({ type: "emergency" });
});

test("an entry of the log tells what went back, and has the plan", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const back = await told(agent, "rollback", "1.0.0", "--path", "logic.py");
  const entry = entryAt(agent, "refs/kai/log");
  expect([entry.kind, entry.id]).toEqual(["rollback", back.operation]);
  expect(entry.details).toMatchObject({
    type: "partial",
    from: "1.1.0",
    to: "1.0.0",
    paths: ["logic.py"],
    version: "1.1.1",
  });
  expect(JSON.parse(agent.git("cat-file", "blob", "refs/kai/log:plan.json"))).toEqual(back.plan);
});

test("rollbacks of rollbacks never use a number twice", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const made = new Set<string>();
  for (let round = 0; round < 10; round++) {
    const { version } = await told(agent, "rollback", round % 2 ? "1.1.0" : "1.0.0", "--path", "logic.py", "--force");
    expect(made.has(version)).toBe(false);
    made.add(version);
  }
  expect([...made].at(-1)).toBe("1.2.10");
});

test("state behind a link, and state of which nothing is there", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const outside = path.join(path.dirname(agent.dir), "outside.json");
  writeFileSync(outside, "mine\n");
  rmSync(path.join(agent.dir, "state.json"));
  symlinkSync(outside, path.join(agent.dir, "state.json"));
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error.code).toMatch(/E102|E114/);
  expect(readFileSync(outside, "utf8")).toBe("mine\n");
  rmSync(path.join(agent.dir, "state.json"));
  await told(agent, "rollback", "1.0.0");
  expect(read(agent, "state.json")).toBe('{"seen": "1.0.0"}\n');
  await told(agent, "undo");
  expect(() => read(agent, "state.json")).toThrow("ENOENT");
});
