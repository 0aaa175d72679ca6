import { decodeTime, ulid } from "ulid";
import { expect, test } from "vitest";
import { observe } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { kaiYaml, liveAgent } from "./live-agent.js";

const policy = (conditions: string, steps = "{type: backup_current}, {type: restore_data}") =>
  `rollback_system: {policies: [{name: strict, conditions: [${conditions}], steps: [${steps}]}, {name: lax, steps: [${steps}]}]}\n`;
const system = (text: string) => kaiYaml("trigger: {}", `rollback_system: {${text}}\n`);

test("dependency_validation refuses lock files that nothing installs, unless forced or by another policy", async () => {
  const agent = await liveAgent();
  const yaml = kaiYaml("trigger: {}", policy("{type: dependency_validation, required: true}"));
  await agent.version("1.0.0", { "kai.yaml": yaml, "deps.lock": "one\n" });
  await agent.version("1.1.0", { "deps.lock": "two\n" });
  const before = observe(agent);
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({
    code: "E125",
    message: expect.stringContaining("strict requires dependency_validation"),
  });
  expect(observe(agent)).toEqual(before);
  const problem = "lock files differ, and the target has no lifecycle.install to restore what they name";
  const { plan } = await told(agent, "rollback", "1.0.0", "--dry-run");
  expect(plan.conditions).toEqual([{ type: "dependency_validation", required: true, problem }]);
  const message = `dependency_validation is required and does not hold: ${problem}`;
  expect(plan.risks).toContainEqual({
    kind: "condition",
    severity: "high",
    message: `${message}; it is refused without \`--force\``,
  });
  expect((await agent.kai("rollback", "1.0.0", "--dry-run")).stdout).toContain(
    `condition dependency_validation: does not hold: ${problem}\n`,
  );
  const forced = await told(agent, "rollback", "1.0.0", "--dry-run", "--force");
  expect(forced.plan.risks).toContainEqual({ kind: "condition", severity: "medium", message });
  await told(agent, "rollback", "1.0.0", "--force");
  await told(agent, "undo");
  expect(await told(agent, "rollback", "1.0.0", "--policy", "lax")).toMatchObject({ plan: { policy: "lax" } });
});

test("a plan says whether lock files are the same, or differ and nothing installs what they name", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}"), "deps.lock": "one\n" });
  await agent.version("1.1.0");
  const planned = async () => {
    const { plan } = await told(agent, "rollback", "1.0.0", "--dry-run");
    const step = plan.steps.find(({ type }: { type: string }) => type === "restore_dependencies");
    const risk = plan.risks.find(({ kind }: { kind: string }) => kind === "dependencies_stay");
    return [step.does, risk?.message];
  };
  expect(await planned()).toEqual(["the lock files are the same", undefined]);
  await agent.version("1.2.0", { "deps.lock": "two\n" });
  expect(await planned()).toEqual([
    "the lock files differ, and there is no lifecycle.install",
    "lock files differ, and nothing installs what the target's name: what is installed stays",
  ]);
});

test("compatibility_check refuses to cross a breaking change, unless safety_checks are off", async () => {
  const agent = await liveAgent();
  const yaml = (more: string) =>
    kaiYaml(
      "trigger: {}",
      policy("{type: compatibility_check, required: true}").replace("system: {", `system: {${more}`),
    );
  await agent.version("1.0.0", { "kai.yaml": yaml(""), "tools/t.json": '{"name": "t"}' });
  await agent.version("2.0.0", { "logic.py": "# 2\n", "kai.yaml": yaml("") });
  agent.git("commit", "-q", "--allow-empty", "-m", "feat!: another way");
  await told(agent, "create", "--as", "3.0.0", "--allow-unchanged");
  expect(await refused(agent, "rollback", "2.0.0")).toMatchObject({ code: "E125" });
  expect(await refused(agent, "rollback", "2.0.0", "--policy", "strict")).toMatchObject({ code: "E125" });
  await told(agent, "rollback", "2.0.0", "--policy", "strict", "--type", "emergency");
  await told(agent, "undo");
  await agent.version("3.1.0", { "kai.yaml": yaml("safety_checks: false, ") });
  await told(agent, "rollback", "2.0.0");
});

test.each([
  ["a policy that leaves the backup out", "policies: [{name: p, steps: [{type: restore_data}]}]", []],
  [
    "a policy whose backup may fail",
    "policies: [{name: p, steps: [{type: restore_data}, {type: backup_current, critical: false}]}]",
    [],
  ],
  ["backup_before_rollback: false", "backup_before_rollback: false", []],
  ["backup_before_rollback: false, in an emergency", "backup_before_rollback: false", ["--type", "emergency"]],
])("%s: live state that is replaced is saved all the same, and undo puts it back", async (_, settings, options) => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system(settings), "state.json": "one\n" });
  await agent.version("1.1.0");
  agent.write("state.json", "live\n");
  const back = await told(agent, "rollback", "1.0.0", ...options);
  expect(agent.read("state.json")).toBe("one\n");
  expect(agent.git("for-each-ref", "--format=%(refname)", "refs/kai/backup")).toBe(back.stateBackup);
  expect(back.plan.steps).toContainEqual(expect.objectContaining({ type: "backup_current", critical: true }));
  await told(agent, "undo");
  expect(agent.read("state.json")).toBe("live\n");
});

test("undo puts back the state that was replaced, also by a policy without restore_data", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system("policies: [{name: files, steps: []}]"), "state.json": "one\n" });
  await agent.version("1.1.0", { "kai.yaml": system("policies: []") });
  agent.write("state.json", "live\n");
  await told(agent, "rollback", "1.0.0");
  expect(agent.read("state.json")).toBe("one\n");
  await told(agent, "undo");
  expect(agent.read("state.json")).toBe("live\n");
});

test("where the state of before is not here any more undo says so plainly, and leaves the live one", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system("policies: []"), "state.json": "one\n" });
  await agent.version("1.1.0");
  const { stateBackup } = await told(agent, "rollback", "1.0.0");
  agent.git("update-ref", "-d", stateBackup);
  const gone = "the live state of before is not here any more: it cannot be put back, and that of now stays";
  const { plan } = await told(agent, "undo", "--dry-run");
  expect(plan.risks).toContainEqual({ kind: "state_gone", severity: "high", message: gone });
  expect((await agent.kai("undo")).stdout).toContain(`  risk       ${gone}\n`);
  expect(agent.read("state.json")).toBe("one\n");
});

test("backup_verification is of every rollback that replaces state: what was saved is read back", async () => {
  const agent = await liveAgent();
  const yaml = kaiYaml("trigger: {}", policy("{type: backup_verification, required: true}", "{type: restore_data}"));
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  expect((await told(agent, "rollback", "1.0.0")).stateBackup).toMatch(/-state$/);
});

test("steps that a policy leaves out are not taken, those that it must have are, all in the order in which they run", async () => {
  const agent = await liveAgent();
  const steps = "{type: cleanup, critical: false}, {type: backup_current, timeout: 7s}";
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}", policy("", steps)) });
  await agent.version("1.1.0");
  agent.write("state.json", "live\n");
  const { plan } = await told(agent, "rollback", "1.0.0");
  expect(plan.steps.map(({ type, timeoutMs, critical }: never) => [type, timeoutMs, critical])).toEqual([
    ["validate_target", 120_000, true],
    ["backup_current", 7000, true],
    ["restore_code", 180_000, true],
    ["restore_config", 60_000, true],
    ["cleanup", 60_000, false],
  ]);
  expect([plan.state.kind, agent.read("state.json")]).toEqual(["live", "live\n"]);
});

test("a policy that there is not is refused with those that there are", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("trigger: {}", policy("")) });
  const error = await refused(agent, "rollback", "0.9.0", "--policy", "strickt");
  expect(error).toMatchObject({
    code: "E122",
    hint: "Did you mean strict? The version in force has strict, lax, built-in.",
  });
});

test("backup_before_rollback: false keeps what was saved until the next rollback, and the plan says so", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system("backup_before_rollback: false") });
  await agent.version("1.1.0");
  const saved = () => agent.git("for-each-ref", "--format=%(refname)", "refs/kai/backup");
  const back = await told(agent, "rollback", "1.0.0");
  expect(saved()).toBe(back.stateBackup);
  expect(back.plan.risks).toContainEqual(expect.objectContaining({ kind: "short_backup", severity: "medium" }));
  const again = await told(agent, "rollback", "1.1.0", "--force");
  expect(saved()).toBe(again.stateBackup);
});

test("max_rollback_depth refuses what lies further back, unless forced, in an emergency, or without safety_checks", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system("max_rollback_depth: 1") });
  await agent.version("1.1.0");
  expect(await refused(agent, "rollback", "0.9.0")).toMatchObject({ code: "E101" });
  expect((await told(agent, "rollback", "0.9.0", "--dry-run")).plan.risks[0]).toEqual({
    kind: "depth",
    severity: "high",
    message: "2 versions back, more than max_rollback_depth (1); it is refused without `--force`",
  });
  await told(agent, "rollback", "0.9.0", "--type", "emergency");
  await told(agent, "undo");
  await told(agent, "rollback", "1.0.0");
  await told(agent, "undo");
  await agent.version("1.2.0", { "kai.yaml": system("max_rollback_depth: 1, safety_checks: false") });
  await told(agent, "rollback", "0.9.0");
});

test("rollback_timeout that is over before the agent is stopped stops nothing", async () => {
  const agent = await liveAgent();
  const yaml = kaiYaml("stop: {run: touch ../stopped}", "rollback_system: {rollback_timeout: 1ms}\n");
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  const before = observe(agent);
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E124", exit: 1 });
  expect([agent.has("../stopped"), observe(agent)]).toEqual([false, before]);
});

test("the times of restore_code and restore_config together bound what is before the commit point", async () => {
  const agent = await liveAgent();
  const steps = "{type: restore_code, timeout: 1ms}, {type: restore_config, timeout: 1ms}, {type: stop_agent}";
  const yaml = kaiYaml("stop: {run: touch ../stopped}", policy("", steps));
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0", { "kai.yaml": `${yaml}# another\n` });
  const head = agent.git("rev-parse", "HEAD", "current");
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({ code: "E124", message: "restore_code took longer than 0.002 s." });
  expect([agent.has("../stopped"), agent.git("rev-parse", "HEAD", "current")]).toEqual([false, head]);
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("a cleanup that fails fails no rollback, whatever the policy calls it", async () => {
  const agent = await liveAgent();
  const policies = "policies: [{name: tidy, steps: [{type: cleanup, critical: true}, {type: validate_rollback}]}]";
  const yaml = kaiYaml("health: {run: 'true'}", `rollback_system: {backup_retention: 1h, ${policies}}\n`);
  await agent.version("1.0.0", { "kai.yaml": yaml });
  await agent.version("1.1.0");
  const old = `refs/kai/backup/${ulid(Date.now() - 2 * 3_600_000)}`;
  agent.git("update-ref", old, "HEAD");
  agent.write(`.git/${old}.lock`, "");
  const back = await told(agent, "rollback", "1.0.0");
  expect(back.ok).toBe(true);
  expect(back.steps.at(-1)).toMatchObject({ type: "cleanup", status: "failed" });
  const { operations } = await told(agent, "log", "--limit", "2");
  expect(operations.map(({ kind }: { kind: string }) => kind)).toEqual(["outcome", "rollback"]);
  agent.remove(`.git/${old}.lock`);
});

test("cleanup lets go of backups that are older than backup_retention", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": system("backup_retention: 1h") });
  await agent.version("1.1.0");
  const now = Date.now();
  const [old, young] = [ulid(now - 2 * 3_600_000), ulid(now - 60_000)];
  for (const name of [old, `${old}-state`, young]) agent.git("update-ref", `refs/kai/backup/${name}`, "HEAD");
  const { operation } = await told(agent, "rollback", "1.0.0");
  const left = agent.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/kai/backup").split("\n");
  expect(left.sort()).toEqual([young, `${operation}-state`].sort());
  expect(decodeTime(young)).toBeGreaterThan(decodeTime(old));
});
