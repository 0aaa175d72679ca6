import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leftovers, observeButLog } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { kaiYaml, type LiveAgent, liveAgent } from "./live-agent.js";

const IGNORED = "state.json\nmemory.sqlite*\nvar/\nmodules/\n.env\nbuilt.bin\n";
const INSTALL =
  "install: {run: 'echo installed >> $EVENTS; mkdir -p modules var; cp deps.lock modules/; cp -n .env.example .env; cp deps.lock built.bin; echo x > var/cache', timeout: 20s}";
const sqlite = (agent: LiveAgent, sql: string): string =>
  execFileSync("sqlite3", [path.join(agent.dir, "memory.sqlite"), sql], { encoding: "utf8" }).trim();

test("what was installed aside replaces what git ignores, and neither settings nor live state", async () => {
  const agent = await liveAgent();
  const files = { "kai.yaml": kaiYaml(INSTALL), ".gitignore": IGNORED, ".env.example": "KEY=none\n" };
  await agent.version("1.0.0", { ...files, "deps.lock": "one\n" });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  await agent.version("1.2.0");
  agent.write("modules/deps.lock", "two\n");
  agent.write("modules/only-of-two", "");
  agent.write("built.bin", "two\n");
  agent.write(".env", "KEY=secret\n");
  agent.write("var/memory.db", "live\n");
  await told(agent, "rollback", "1.1.0", "--keep-state");
  // The lock file is the same: nothing is installed.
  expect(agent.events()).toEqual([]);
  const back = await told(agent, "rollback", "1.0.0", "--keep-state");
  expect(back.steps.find(({ type }: { type: string }) => type === "restore_dependencies")).toMatchObject({
    status: "done",
  });
  expect(agent.events()).toEqual(["installed"]);
  expect([agent.read("modules/deps.lock"), agent.has("modules/only-of-two")]).toEqual(["one\n", false]);
  expect([agent.read(".env"), agent.read("built.bin")]).toEqual(["KEY=secret\n", "one\n"]);
  expect([agent.read("var/memory.db"), agent.read("var/cache")]).toEqual(["live\n", "x\n"]);
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(leftovers(agent)).toEqual([]);
  await told(agent, "undo");
  expect(agent.read("modules/deps.lock")).toBe("two\n");
});

test("what was installed is synced before the operation happens", async () => {
  const agent = await liveAgent();
  const bin = path.join(agent.dir, "../bin");
  mkdirSync(bin);
  const log = 'echo "$(basename "$2") $(git -C "$KAI_TEST_AGENT" log -1 --format=%s refs/kai/log)" >> "$EVENTS"';
  writeFileSync(path.join(bin, "sync"), `#!/bin/sh\n[ "$1" = --file-system ] && ${log}\n`, { mode: 0o755 });
  agent.env["KAI_TEST_AGENT"] = agent.dir;
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(INSTALL), ".gitignore": IGNORED, "deps.lock": "one\n" });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  const env = { ...agent.env, PATH: `${bin}:${agent.env["PATH"]}` };
  const { operation } = await told({ dir: agent.dir, env }, "rollback", "1.0.0");
  expect(agent.events()).toEqual(["installed", `${operation} create v1.1.0`]);
});

test("an installation that fails changes nothing and leaves nothing behind", async () => {
  const agent = await liveAgent();
  const yaml = kaiYaml("install: {run: 'mkdir modules; echo half > modules/half; echo no network; exit 3'}");
  await agent.version("1.0.0", { "kai.yaml": yaml, ".gitignore": IGNORED, "deps.lock": "one\n" });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  const before = observeButLog(agent);
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().error).toMatchObject({ code: "E126", hint: expect.stringContaining("no network") });
  expect(ran.json().error.hint).toContain("`git kai-version rollback VERSION --type emergency`");
  expect(observeButLog(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
});

test("the way on without an installation that fails is told with the force that it takes", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("install: {run: 'true'}"), "deps.lock": "one\n" });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("install: {run: exit 3}"), "deps.lock": "two\n" });
  await told(agent, "rollback", "1.0.0");
  for (const asked of [["rollback", "1.1.0", "--force"], ["undo"]]) {
    const { code, hint } = await refused(agent, ...asked);
    expect([code, hint]).toEqual(["E126", expect.stringContaining("rollback VERSION --type emergency --force`")]);
  }
  await told(agent, "rollback", "1.1.0", "--type", "emergency", "--force");
});

const MIGRATE =
  'migrate: {run: \'echo "$KAI_FROM $KAI_TO" >> "$EVENTS"; sqlite3 memory.sqlite "ALTER TABLE note DROP COLUMN extra"; rm -f state.json; mkdir -p var; echo new > var/new.db\'}';

async function agentWithMemory(migrate: string): Promise<LiveAgent> {
  const agent = await liveAgent();
  await agent.version("1.0.0", { ".gitignore": IGNORED });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml(migrate) });
  await told(agent, "state", "forget", "1.0.0");
  agent.write("state.json", "live\n");
  agent.write("var/.keep", "");
  sqlite(agent, "PRAGMA journal_mode=WAL; CREATE TABLE note(text, extra); INSERT INTO note VALUES ('kept', 1)");
  return agent;
}

test("where no state was captured the live one is converted in a copy by the version that is left", async () => {
  const agent = await agentWithMemory(MIGRATE);
  const back = await told(agent, "rollback", "1.0.0");
  expect(back.plan.state.kind).toBe("migrated");
  expect(agent.events()).toEqual(["1.1.0 1.0.0"]);
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept");
  expect([agent.has("state.json"), agent.has("var/new.db")]).toEqual([false, true]);
  await told(agent, "undo");
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept|1");
  expect([agent.read("state.json"), agent.has("var/new.db")]).toEqual(["live\n", false]);
  expect(leftovers(agent)).toEqual([]);
});

test("a conversion that fails changes nothing, and says what it printed", async () => {
  const agent = await agentWithMemory("migrate: {run: 'rm state.json memory.sqlite; echo no way back; exit 1'}");
  const before = observeButLog(agent);
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  expect(ran.json().error).toMatchObject({ code: "E126", hint: expect.stringContaining("no way back") });
  const { steps } = ran.json().error;
  expect(steps.at(-1)).toMatchObject({ type: "restore_data", status: "failed", output: "no way back\n" });
  expect(observeButLog(agent)).toEqual(before);
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept|1");
  expect(leftovers(agent)).toEqual([]);
});

test("an emergency goes on where the conversion fails, and says that the state was left as it is", async () => {
  const agent = await agentWithMemory("migrate: {run: 'rm state.json memory.sqlite; exit 1'}");
  const ran = await agent.kai("rollback", "1.0.0", "--type", "emergency");
  expect(ran.exit).toBe(0);
  expect(ran.stdout).toContain("✗ restore_data");
  expect(ran.stdout).toContain("\nThe agent's live state was left as it is: restore_data failed.\n");
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept|1");
});

test("a conversion that leaves a link in the place of state changes nothing", async () => {
  const agent = await agentWithMemory("migrate: {run: 'ln -sf /etc/hostname state.json'}");
  const before = observeButLog(agent);
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({
    code: "E126",
    message: "lifecycle.migrate left state.json, which is no file.",
  });
  expect(observeButLog(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
});

test("--keep-state converts where there is lifecycle.migrate, and leaves the state as it is where there is none", async () => {
  const agent = await agentWithMemory(MIGRATE);
  agent.write("logic.py", "more\n");
  await agent.version("1.2.0");
  await told(agent, "rollback", "1.1.0", "--keep-state");
  expect(agent.events()).toEqual(["1.2.0 1.1.0"]);
  await told(agent, "undo");
  await agent.version("1.3.0", { "kai.yaml": kaiYaml("trigger: {}") });
  agent.write("state.json", "newer\n");
  const back = await told(agent, "rollback", "1.2.0", "--keep-state");
  expect(back.plan).toMatchObject({
    state: { kind: "live" },
    risks: expect.arrayContaining([expect.objectContaining({ kind: "state_newer" })]),
  });
  expect(agent.read("state.json")).toBe("newer\n");
  expect(back.stateBackup).toBeNull();
});

test("from a version to itself, over commits on top of it, nothing is converted", async () => {
  const agent = await agentWithMemory(MIGRATE);
  agent.write("logic.py", "more\n");
  agent.commit("feat: more");
  const { version: inForce } = await told(agent, "current");
  await told(agent, "rollback", inForce, "--keep-state");
  expect(agent.events()).toEqual([]);
  expect(agent.read("logic.py")).not.toBe("more\n");
});

test("on the way forward it is the target that converts, and that is whom its command is asked of", async () => {
  const both =
    'migrate: {run: \'echo "$KAI_FROM $KAI_TO" >> "$EVENTS"; cat logic.py >> "$EVENTS"; if [ "$KAI_TO" = 1.0.0 ]; then sqlite3 memory.sqlite "ALTER TABLE note DROP COLUMN extra"; else sqlite3 memory.sqlite "ALTER TABLE note ADD COLUMN extra DEFAULT 2"; fi\'}';
  const agent = await agentWithMemory(both);
  await told(agent, "rollback", "1.0.0");
  expect(agent.events()).toEqual(["1.1.0 1.0.0", "# 1.1.0"]);
  sqlite(agent, "INSERT INTO note VALUES ('since')");
  const asked = ["rollback", "1.1.0", "--keep-state", "--force"];
  const { plan } = await told(agent, ...asked, "--dry-run");
  expect(plan.state).toMatchObject({ kind: "migrated", forward: true });
  await told(agent, ...asked);
  expect(agent.events()).toEqual(["1.0.0 1.1.0", "# 1.1.0"]);
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept|2\nsince|2");
  await told(agent, "undo");
  expect(sqlite(agent, "SELECT * FROM note")).toBe("kept\nsince");
});

test("memory that was written since comes back with undo", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { ".gitignore": IGNORED });
  sqlite(agent, "PRAGMA journal_mode=WAL; CREATE TABLE note(text); INSERT INTO note VALUES ('of 1.1.0')");
  await agent.version("1.1.0");
  sqlite(agent, "INSERT INTO note VALUES ('live')");
  await told(agent, "rollback", "1.0.0");
  expect(agent.has("memory.sqlite")).toBe(false);
  await told(agent, "undo");
  expect(sqlite(agent, "SELECT group_concat(text) FROM note")).toBe("of 1.1.0,live");
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toContain("0.9.0");
});

/** Kills the program that runs it, says who it is, and goes on. */
const OUTLIVES = "run: 'echo $$ >> \"$EVENTS\"; kill -KILL $PPID; exec sleep 600'";

test.each([
  ["an installation", "install", ["rollback", "1.0.0"], ["recover"]],
  ["a conversion", "migrate", ["rollback", "1.0.0"], ["recover"]],
  [
    "a deployment's installation",
    "install",
    ["deploy", "1.0.0", "--to", "../out"],
    ["deploy", "0.9.0", "--to", "../out"],
  ],
])("%s that outlives a killed operation is ended before its folder goes", async (_, key, killed, next) => {
  const agent = await liveAgent();
  await agent.version("1.0.0", {
    "kai.yaml": kaiYaml(`${key}: {${OUTLIVES}}`),
    ".gitignore": IGNORED,
    "deps.lock": "one\n",
  });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  await told(agent, "state", "forget", "1.0.0");
  agent.write("state.json", "live\n");
  expect((await agent.kai(...killed)).exit).toBe("SIGKILL");
  const [own] = agent.events();
  const cwd = `/proc/${own}/cwd`;
  expect(readlinkSync(cwd)).toMatch(/\/files$/);
  expect((await agent.kai(...next)).exit).toBe(0);
  expect(existsSync(cwd)).toBe(false);
  expect(leftovers(agent)).toEqual([]);
});
