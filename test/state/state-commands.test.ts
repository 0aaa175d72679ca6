import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const LARGE = 17 * 2 ** 20;

const states = async (agent: Agent) =>
  Object.fromEntries(
    (await agent.kai("state", "list", "--json"))
      .json()
      .states.map((state: { version: string }) => [state.version, state]),
  );

const stored = (agent: Agent): string[] => readdirSync(path.join(agent.dir, ".git/kai/state"));

test("state is listed with what became of it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  expect((await agent.kai("state", "keep", "1.0.0")).exit).toBe(0);
  expect((await agent.kai("state", "forget", "1.1.0")).exit).toBe(0);
  expect(await agent.kai("state", "list")).toMatchInlineSnapshot(`
    VERSION  CREATED           FILES  SIZE  WHERE  STATUS     MARKS
    1.2.0    2026-03-02 09:00      1  18 B  git
    1.1.0    2026-03-02 09:00                      forgotten
    1.0.0    2026-03-02 09:00      1  18 B  git               kept
    [exit 0]
  `);
  agent.git("update-ref", "-d", "refs/kai/state/v1.2.0");
  expect(await states(agent)).toMatchObject({
    "1.0.0": { status: "here", files: 1, bytes: 18, where: ["git"], kept: true },
    "1.1.0": { status: "forgotten", files: null, kept: false },
    "1.2.0": { status: "missing" },
  });
});

test("forgotten state is held against nothing; state that is gone without a word is", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const forgotten = await agent.kai("state", "forget", "1.0.0");
  expect(forgotten).toMatchInlineSnapshot(`
    ✓ Forgotten: the state of 1.0.0 (1 file, 18 B)
      git removes the rest when it collects garbage; at once: git gc --prune=now
    [exit 0]
  `);
  expect(await agent.kai("verify", "1.0.0", "--deep")).toMatchObject({ exit: 0 });
  expect((await agent.kai("verify", "1.0.0", "--deep")).stdout).toMatch(
    /The state captured with it was forgotten at 20/,
  );
  agent.git("update-ref", "-d", "refs/kai/state/v1.1.0");
  const gone = await agent.kai("verify", "1.1.0", "--deep", "--json");
  expect([gone.exit, gone.json().versions[0].problems[0].code]).toEqual([1, "state-not-fetched"]);
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({ code: "E102" });
});

test("an agent in force whose state was forgotten since loads without it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await agent.kai("state", "forget", "1.0.0");
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect((await loadAgent(agent.dir)).state).toBeNull();
});

test("what cannot be kept or forgotten is refused, and a dry run changes nothing", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const refs = agent.git("for-each-ref");
  for (const command of ["keep", "forget"]) {
    expect((await agent.kai("state", command, "1.0.0", "--dry-run", "--json")).json().operation).toBeNull();
    expect((await agent.kai("state", command, "9.0.0")).stderr).toMatch(/Error E101/);
  }
  expect((await agent.kai("state", "forget", "current")).stderr).toMatch(/Error E125: v1.1.0 is in force/);
  expect(agent.git("for-each-ref")).toBe(refs);
  await agent.kai("state", "keep", "1.0.0");
  expect((await agent.kai("state", "keep", "1.0.0")).stderr).toMatch(/Error E109/);
  await agent.kai("state", "forget", "1.0.0");
  expect((await agent.kai("state", "forget", "1.0.0")).stderr).toMatch(/no state of v1.0.0: it was forgotten at/);
});

test("large files go with the last capture that names them, and none that another one or a backup needs", async () => {
  const agent = await agentWithVersions();
  const made = async (version: string, content: string) => {
    agent.write("state.json", Buffer.alloc(LARGE, content));
    expect((await agent.kai("create", "--as", version, "--allow-unchanged")).exit).toBe(0);
  };
  await made("1.0.0", "a");
  await made("1.1.0", "a");
  await made("1.2.0", "b");
  agent.git("update-ref", "refs/kai/backup/of-one-dot-one", "refs/kai/state/v1.1.0");
  expect((await agent.kai("state", "forget", "1.0.0", "--json")).json()).toMatchObject({ bytes: LARGE, freed: 0 });
  expect((await agent.kai("state", "forget", "1.1.0", "--json")).json().freed).toBe(0);
  expect(stored(agent)).toHaveLength(2);
  agent.git("update-ref", "-d", "refs/kai/backup/of-one-dot-one");
  await made("1.3.0", "c");
  expect((await agent.kai("state", "forget", "1.2.0", "--dry-run", "--json")).json().freed).toBe(LARGE);
  expect(stored(agent)).toHaveLength(2);
  expect((await agent.kai("state", "forget", "1.2.0", "--json")).json().freed).toBe(LARGE);
  expect(stored(agent)).toHaveLength(1);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("large files that a killed create or a dropped backup left are gone with the next capture", async () => {
  const agent = await agentWithVersions();
  agent.write("state.json", Buffer.alloc(LARGE, "a"));
  await agent.kai("create", "--as", "1.0.0");
  agent.write(`.git/kai/state/${"0".repeat(64)}`, "left behind");
  agent.write("state.json", "small again");
  expect((await agent.kai("create", "--as", "1.1.0", "--allow-unchanged")).exit).toBe(0);
  expect(stored(agent)).toHaveLength(1);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("create gives up what artifacts.state.keep does not keep, in its own entry, but never what was kept or is in force", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await agent.kai("state", "keep", "1.0.0");
  const configuration = agent.git("show", "HEAD:kai.yaml");
  agent.write("kai.yaml", configuration.replace("memory.sqlite]", "memory.sqlite], keep: 1"));
  agent.git("commit", "-q", "-am", "feat: keep one state");
  const before = agent.git("rev-list", "--count", "refs/kai/log");
  const next = await agent.kai("create", "--as", "2.0.0-rc.1", "--json");
  expect(next.json().state.forgotten).toEqual(["1.1.0"]);
  expect(Number(agent.git("rev-list", "--count", "refs/kai/log"))).toBe(Number(before) + 1);
  const known = await states(agent);
  expect(Object.entries(known).map(([version, state]) => [version, (state as { status: string }).status])).toEqual([
    ["2.0.0-rc.1", "here"],
    ["1.2.0", "here"],
    ["1.1.0", "forgotten"],
    ["1.0.0", "here"],
  ]);
  expect((await agent.kai("create", "--as", "2.0.0", "--allow-unchanged", "--json")).json().state.forgotten).toEqual([
    "2.0.0-rc.1",
    "1.2.0",
  ]);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("that state was kept is undone, and that undo too; what was forgotten is erased and not brought back", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const kept = async () =>
    Object.entries(await states(agent)).flatMap(([version, state]) => (state.kept ? [version] : []));
  const made = await told(agent, "state", "keep", "1.0.0", "1.1.0");
  expect(await kept()).toEqual(["1.1.0", "1.0.0"]);
  const refs = agent.git("for-each-ref", "refs/kai/state", "refs/tags", "refs/heads");
  expect(await told(agent, "undo", "--dry-run")).toMatchObject({ operation: null, keeping: { action: "unkeep" } });
  expect(await kept()).toEqual(["1.1.0", "1.0.0"]);
  const undone = await told(agent, "undo");
  expect(undone).toMatchObject({
    kind: "undo",
    undone: { id: made.operation, kind: "state" },
    from: "1.2.0",
    to: "1.2.0",
    keeping: { action: "unkeep", tags: ["v1.0.0", "v1.1.0"] },
    plan: null,
    steps: [],
  });
  expect(await kept()).toEqual([]);
  expect(agent.git("for-each-ref", "refs/kai/state", "refs/tags", "refs/heads")).toBe(refs);
  expect(await refused(agent, "undo", made.operation)).toMatchObject({
    code: "E125",
    message: `state keep v1.0.0, v1.1.0 was undone already, by ${undone.operation}.`,
  });
  // Whoever keeps one by another operation keeps it whatever becomes of the first.
  await told(agent, "state", "keep", "1.1.0");
  expect(await kept()).toEqual(["1.1.0"]);
  await told(agent, "undo");
  expect((await agent.kai("undo", undone.operation)).stdout).toContain("state      v1.0.0, v1.1.0 kept again\n");
  expect(await kept()).toEqual(["1.1.0", "1.0.0"]);
  expect((await agent.kai("undo")).stdout).toContain("state      v1.0.0, v1.1.0 kept no longer\n");
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });

  await told(agent, "state", "forget", "1.0.0");
  expect(await refused(agent, "undo")).toMatchObject({
    code: "E125",
    message: "state forget v1.0.0 is not undone by `undo`.",
    hint: expect.stringMatching(
      /^To forget is to erase.* `git kai-version undo [0-9A-Z]{26}` takes back what came before: /,
    ),
  });
});

test("state that is kept no longer is given up by the rule again", async () => {
  const agent = await agentWithVersions("1.0.0");
  const settings = "state: {include: [state.json], keep: 1}";
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nversion_management: {artifacts: {${settings}}}\n`);
  agent.commit("feat: keep one");
  const { operation } = await told(agent, "state", "keep", "1.0.0");
  expect(await told(agent, "create")).toMatchObject({ state: { forgotten: [] } });
  // Not the newest: a version came into force since, which is no reason not to.
  await told(agent, "undo", operation);
  const { state } = await told(agent, "create", "--allow-unchanged");
  expect(state.forgotten.sort()).toEqual(["1.0.0", "1.1.0"]);
});
