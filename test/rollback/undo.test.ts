import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leftovers, observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { kaiYaml, liveAgent, START } from "./live-agent.js";

test("undo of a rollback puts the version left in force again, with its files", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await agent.kai("rollback", "1.0.0");
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    ✓ Undone: rollback v1.1.0 -> v1.0.0
      in force   1.0.0 -> 1.1.0
      commit     <id>
      back       1.1.0
      ✓ validate_target  <time>
      ✓ backup_current  <time>
      ✓ restore_code  <time>
      ✓ restore_data  <time>
      ✓ cleanup  <time>
      state of before  refs/kai/backup/<operation>-state
    [exit 0]
  `);
  expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toContain("1.1.0");
  expect((await agent.kai("current", "--json")).json().version).toBe("1.1.0");
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("undo of the first create leaves nothing in force, and the number taken", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    ✓ Undone: create v1.0.0
      in force   1.0.0 -> nothing
      withdrawn  1.0.0
      ✓ validate_target  <time>
      ✓ cleanup  <time>
    [exit 0]
  `);
  expect(agent.git("tag", "--list")).toBe("v1.0.0");
  expect((await agent.kai("current")).exit).toBe(1);
  expect((await agent.kai("create", "--allow-unchanged", "--json")).json().version).not.toBe("1.0.0");
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});

test("where nothing that an agent runs on is changed, its health is not asked: none may run", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("health: {run: exit 9, retries: 0}") });
  await agent.version("1.1.0");
  const undone = await told(agent, "undo");
  expect(undone).toMatchObject({ from: "1.1.0", to: "1.0.0", ok: true, plan: { validations: [] } });
});

test("an undo of the first create is undone, and rolled back from, without a command that no version names", async () => {
  const agent = await agentWithVersions();
  const lifecycle = `${START}\nstop: {run: touch ../asked}\nmigrate: {run: touch ../asked}\nhealth: {run: exit 9, retries: 0}`;
  agent.write("kai.yaml", kaiYaml(lifecycle));
  agent.commit("feat: one");
  await told(agent, "create", "--as", "1.0.0");
  expect(await told(agent, "undo")).toMatchObject({ from: "1.0.0", to: null, ok: true });
  expect(await told(agent, "undo")).toMatchObject({ from: null, to: "1.0.0", ok: true });
  await told(agent, "undo");
  agent.write("logic.py", "# another\n");
  agent.commit("feat: another");
  const back = await told(agent, "rollback", "1.0.0", "--force", "--policy", "built-in", "--dry-run");
  expect(back.plan.risks.map(({ kind }: { kind: string }) => kind)).not.toContain("commands_not_run");
  expect(existsSync(path.join(agent.dir, "../asked"))).toBe(false);
});

test("undo names the backup of what the rollback overwrote, and how changes are put away that are in its way", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "not committed\n");
  const back = await told(agent, "rollback", "1.0.0", "--force");
  agent.write("logic.py", "since\n");
  expect(await refused(agent, "undo")).toMatchObject({
    code: "E102",
    hint: expect.stringMatching(/^`git stash` puts/),
  });
  expect((await told(agent, "undo", "--dry-run")).plan.risks).toContainEqual({
    kind: "dirty_files",
    severity: "high",
    message: "files are changed and not committed: 1; it is refused until they are put away, as by `git stash`",
  });
  agent.git("stash");
  expect(await told(agent, "undo", "--dry-run")).toMatchObject({ backup: back.backup });
  const undone = await agent.kai("undo");
  expect(undone.stdout).toContain(`  files of before  ${back.backup}  (\`git checkout ${back.backup} -- PATH\`)\n`);
  expect(agent.git("cat-file", "blob", `${back.backup}:logic.py`)).toBe("not committed");
  expect(await told(agent, "undo")).toMatchObject({ backup: null });
});

const KINDS: readonly [string, (agent: Agent) => Promise<readonly string[]>][] = [
  ["create", async () => ["create", "--allow-unchanged"]],
  ["rollback of a version", async () => ["rollback", "1.0.0"]],
  ["rollback in an emergency", async () => ["rollback", "1.0.0", "--type", "emergency"]],
  ["rollback of a component", async () => ["rollback", "1.0.0", "--component", "prompts"]],
  ["rollback of the state", async () => ["rollback", "1.0.0", "--component", "state"]],
  ["rollback of a path", async () => ["rollback", "1.0.0", "--path", "logic.py"]],
  [
    "rollback behind an operation",
    async (agent) => {
      const { operation } = await told(agent, "rollback", "1.0.0");
      agent.write("state.json", '{"seen": "since"}\n');
      return ["rollback", operation, "--type", "snapshot", "--force"];
    },
  ],
  ["rollback that keeps the state", async () => ["rollback", "1.0.0", "--keep-state"]],
  [
    "undo",
    async (agent) => {
      await told(agent, "rollback", "1.0.0");
      agent.write("state.json", '{"seen": "since"}\n');
      return ["undo"];
    },
  ],
];

test.each(KINDS)(
  "undo of a %s puts files, state and what is in force back, and can itself be undone",
  async (_, make) => {
    const agent = await agentWithVersions("1.0.0", "1.1.0");
    agent.write("state.json", '{"seen": "live"}\n');
    const args = await make(agent);
    const seen = async () => [[...observe(agent).files], (await told(agent, "current")).version] as const;
    const before = await seen();
    await told(agent, ...args);
    const after = await seen();
    expect(after).not.toEqual(before);
    await told(agent, "undo");
    expect(await seen()).toEqual(before);
    await told(agent, "undo");
    expect(await seen()).toEqual(after);
    expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
    expect(agent.git("status", "--porcelain")).toBe("");
    expect(leftovers(agent)).toEqual([]);
  },
);

test("what came into force since is named, not what only told of it or left it in force", async () => {
  const agent = await liveAgent([]);
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("health: {run: 'true'}") });
  await agent.version("1.1.0", { "logic.py": "# another\n" });
  const created = (await told(agent, "log")).operations[0].id;
  await told(agent, "rollback", "1.0.0");
  await told(agent, "deprecate", "1.0.0", "--reason", "old");
  expect((await told(agent, "log")).operations.slice(0, 3).map(({ kind }: { kind: string }) => kind)).toEqual([
    "promote",
    "outcome",
    "rollback",
  ]);
  expect(await refused(agent, "undo", created)).toMatchObject({
    code: "E125",
    message: "Another version came into force since: rollback v1.1.0 -> v1.0.0.",
  });
});

test("what is not undone says why", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "rollback", "1.0.0");
  const first = (await told(agent, "log")).operations.at(-1).id;
  expect(await refused(agent, "undo", first)).toMatchObject({
    code: "E125",
    message: "The founding of the log cannot be undone: everything else stands on it.",
  });
  const created = (await told(agent, "log", "--kind", "create")).operations.at(-1).id;
  expect(await refused(agent, "undo", created)).toMatchObject({
    code: "E125",
    message: "Another version came into force since: rollback v1.1.0 -> v1.0.0.",
  });
});
