import { readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { encryptKey, readPrivateKey } from "openpgp";
import { expect, test } from "vitest";
import { rollBackSafely } from "../../src/rollback/roll-back-safely.js";
import { exportKey, kaiHome } from "../../src/trust/key-store.js";
import { leftovers } from "../operation/observe.js";
import { placeAt, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { agentOfTwo } from "../trust-e2e/agent-of-two.js";

const KAI_YAML = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json]}}}
lifecycle: {trigger: {on: [before-operation]}}
`;

/** 1.0.0 and 1.1.0, which makes versions before operations, and a feature behind it that no version has. */
async function agentAhead(): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", KAI_YAML);
  agent.commit("feat: versions before operations");
  await told(agent, "create", "--as", "1.1.0");
  agent.write("logic.py", 'print("not in a version")\n');
  agent.write("state.json", '{"seen": "live"}\n');
  agent.commit("feat: more");
  return agent;
}

const read = (agent: Agent, name: string) => readFileSync(path.join(agent.dir, name), "utf8");
const versions = (agent: Pick<Agent, "git">) => agent.git("tag", "--list", "v*", "--sort=v:refname").split("\n");

test("before a rollback what is committed becomes a version, to which one comes back by its number", async () => {
  const agent = await agentAhead();
  const head = agent.git("rev-parse", "HEAD");
  const done = await told(agent, "rollback", "1.0.0");
  expect(done).toMatchObject({ from: "1.1.0", to: "1.0.0", ok: true, versionBefore: { version: "1.2.0", why: null } });
  expect(agent.git("rev-parse", "v1.2.0^{commit}")).toBe(head);
  expect(await told(agent, "show", "1.2.0")).toMatchObject({
    type: "auto",
    current: false,
    record: { parent: "1.1.0", notes: "what was there before a rollback" },
  });
  const { operations } = await told(agent, "log", "--limit", "2");
  expect(operations).toMatchObject([{ kind: "rollback" }, { kind: "create", id: done.versionBefore.operation }]);
  // By its number, with the state that was there.
  expect(await told(agent, "rollback", "1.2.0")).toMatchObject({ to: "1.2.0", versionBefore: null });
  expect([read(agent, "logic.py"), read(agent, "state.json")]).toEqual([
    'print("not in a version")\n',
    '{"seen": "live"}\n',
  ]);
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 3 });
  expect(leftovers(agent)).toEqual([]);
});

test("where it is HEAD, no commit is in no version, although another one is in force", async () => {
  const agent = await agentAhead();
  agent.write("kai.yaml", `${KAI_YAML}deploy: {root: ../deployed}\n`);
  agent.commit("feat: be deployed");
  expect(await told(agent, "status")).toMatchObject({ unversioned: 2 });
  expect(await told(agent, "deploy", "1.1.0")).toMatchObject({ versionBefore: { version: "1.2.0" } });
  expect(await told(agent, "status")).toMatchObject({ current: "1.1.0", unversioned: 0 });
});

test("what its state lacks is said, as create says it", async () => {
  const agent = await agentAhead();
  agent.write("kai.yaml", KAI_YAML.replace("[state.json]", "[state.json, link.json]"));
  agent.commit("feat: a state that is a link");
  symlinkSync("state.json", path.join(agent.dir, "link.json"));
  const ran = await agent.kai("rollback", "1.0.0");
  expect(ran.exit).toBe(0);
  expect(ran.stderr).toContain("1.2.0: link.json is no regular file and was not captured.");
});

test("no state is given up for it that one is about to go back to", async () => {
  const agent = await agentAhead();
  agent.write("kai.yaml", KAI_YAML.replace("[state.json]", "[state.json], keep: 2"));
  agent.commit("feat: keep less");
  const done = await told(agent, "rollback", "1.0.0");
  expect(done).toMatchObject({ versionBefore: { version: "1.2.0" }, plan: { state: { kind: "capture" } } });
  expect(read(agent, "state.json")).toBe('{"seen": "1.0.0"}\n');
});

test("what only the branch says and no version in force is not done", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("kai.yaml", KAI_YAML);
  agent.commit("feat: versions before operations");
  expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ to: "1.0.0", versionBefore: null });
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
});

test("the version names the commands of what undo goes back to, although it was never in force", async () => {
  const agent = await agentAhead();
  agent.write("kai.yaml", KAI_YAML.replace("lifecycle: {", "lifecycle: {health: {run: test -f logic.py}, "));
  agent.commit("fix: ask for health");
  await told(agent, "rollback", "1.0.0");
  expect(await told(agent, "undo")).toMatchObject({ undone: { kind: "rollback" }, to: "1.1.0" });
});

test("undo takes the rollback back, and the version stays", async () => {
  const agent = await agentAhead();
  await told(agent, "rollback", "1.0.0");
  expect(await told(agent, "undo")).toMatchObject({ undone: { kind: "rollback" }, to: "1.1.0" });
  expect([read(agent, "logic.py"), read(agent, "state.json")]).toEqual([
    'print("not in a version")\n',
    '{"seen": "live"}\n',
  ]);
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0", "v1.2.0"]);
  expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ versionBefore: null });
});

test("a plan says which version would be made, and the number that comes behind it", async () => {
  const agent = await agentAhead();
  agent.write("more.py", "of no version\n");
  agent.commit("feat: even more");
  const planned = await told(agent, "rollback", "1.0.0", "--path", "logic.py", "--dry-run");
  expect(planned).toMatchObject({ versionBefore: { version: "1.2.0", operation: null }, version: "1.2.1" });
  expect((await agent.kai("rollback", "1.0.0", "--dry-run")).stdout).toContain(
    "What is committed becomes 1.2.0 first, which takes the role releaser, or is left out.",
  );
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
  const done = await told(agent, "rollback", "1.0.0", "--path", "logic.py");
  expect(done).toMatchObject({ versionBefore: { version: "1.2.0" }, version: "1.2.1" });
});

test("before a rollback that is refused, rehearsed, or whose condition does not hold none is made", async () => {
  const agent = await agentAhead();
  expect(await refused(agent, "rollback", "9.9.9")).toMatchObject({ code: "E101" });
  expect(await told(agent, "rollback", "1.0.0", "--rehearse")).toMatchObject({ ok: true });
  expect(await told(agent, "rollback", "--when", "minutes_in_force < 0")).toMatchObject({ triggered: false });
  agent.write("logic.py", "not committed\n");
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E102" });
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
  agent.git("checkout", "--", ".");
  expect(await told(agent, "rollback", "--when", "minutes_in_force >= 0")).toMatchObject({
    triggered: true,
    versionBefore: { version: "1.2.0" },
  });
  // What was left so is not what is gone back to when that is ill as well.
  const { targets } = await told(agent, "rollback", "--suggest");
  expect(targets.find(({ version }: { version: string }) => version === "1.2.0").score).toBeLessThan(0);
});

test("nothing stands in the way: changes that are not committed, an emergency, automatic versions switched off", async () => {
  const dirty = await agentAhead();
  dirty.write("logic.py", "not committed\n");
  const forced = await told(dirty, "rollback", "1.0.0", "--force");
  expect(forced).toMatchObject({ ok: true, versionBefore: { version: null, operation: null } });
  expect(forced.versionBefore.why).toContain("Files were changed and not committed: logic.py.");

  const urgent = await agentAhead();
  const ran = await urgent.kai("rollback", "1.0.0", "--type", "emergency");
  expect([ran.exit, ran.stderr]).toEqual([
    0,
    "Warning: No version was made before of what is there: an emergency takes no time for it.\n",
  ]);
  expect(versions(urgent)).toEqual(["v1.0.0", "v1.1.0"]);

  const off = await agentAhead();
  off.write("kai.yaml", KAI_YAML.replace("{artifacts", "{semantic_versioning: {auto_increment: false}, artifacts"));
  off.commit("feat: no automatic versions");
  expect(await told(off, "rollback", "1.0.0")).toMatchObject({
    ok: true,
    versionBefore: { version: null, why: "Automatic versions are switched off: auto_increment is false." },
  });
});

test("an operator without the role releaser goes back all the same", async () => {
  const { agent, asBob } = await agentOfTwo(KAI_YAML.replace(/^agent_id.*\n/, ""));
  await agent.create();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  await agent.create();
  agent.commit("feat: yet more", { "logic.py": "print('yet more')\n" });
  const done = await told({ dir: agent.dir, env: asBob }, "rollback", "1.0.0");
  expect(done).toMatchObject({ to: "1.0.0", ok: true, versionBefore: { version: null } });
  expect(done.versionBefore.why).toContain("is no releaser here");
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
});

test("an error behind the version says that it was made", async () => {
  const { agent } = await agentOfTwo(KAI_YAML.replace(/^agent_id.*\n/, ""));
  await agent.create();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  await agent.create();
  agent.commit("fix: yet more", { "logic.py": "print('yet more')\n" });
  // Ada releases, and rolls nothing back.
  const { dir, env } = agent;
  const ran = await placeAt(dir, env).kai("rollback", "1.0.0", "--json");
  expect(ran.json().error).toMatchObject({ code: "E112", versionBefore: { version: "1.1.1", why: null } });
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0", "v1.1.1"]);
});

test("before a deployment what is committed becomes a version as well", async () => {
  const agent = await agentAhead();
  const deploy = (...more: string[]) => told(agent, "deploy", "1.0.0", "--to", "../deployed", ...more);
  expect(await deploy("--dry-run")).toMatchObject({ versionBefore: { version: "1.2.0", operation: null } });
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0"]);
  expect(await deploy()).toMatchObject({ version: "1.0.0", versionBefore: { version: "1.2.0" } });
  expect(versions(agent)).toEqual(["v1.0.0", "v1.1.0", "v1.2.0"]);
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  expect(await deploy()).toMatchObject({ operation: null, versionBefore: null });
});

test("the passphrase of the key is asked for once", async () => {
  const agent = await agentAhead();
  const { armored } = await exportKey(kaiHome(agent.env), undefined, { secret: true });
  const privateKey = await readPrivateKey({ armoredKey: armored });
  const KAI_SIGNING_KEY = (await encryptKey({ privateKey, passphrase: "word" })).armor();
  const asked: string[] = [];
  const caller = {
    cwd: agent.dir,
    env: { ...agent.env, KAI_SIGNING_KEY },
    now: () => new Date(),
    progress: () => {},
    onRecovered: () => {},
    askPassphrase: async (key: string) => {
      asked.push(key);
      return "word";
    },
  };
  expect(await rollBackSafely(caller, { to: "1.0.0" })).toMatchObject({ versionBefore: { version: "1.2.0" } });
  expect(asked).toHaveLength(1);
});
