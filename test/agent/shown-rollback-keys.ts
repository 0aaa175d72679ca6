import { expect } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { choosePolicy } from "../../src/rollback/policy.js";
import { lifecycleCommands } from "../../src/version/lifecycle-commands.js";
import { refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

type Settings = Readonly<Record<string, unknown>>;

/** kai.yaml as JSON, which is YAML. */
const kaiYaml = (settings: Settings): string => JSON.stringify({ agent_id: "ai.example.clerk", ...settings });
const read = (settings: Settings) => parseAgentConfig(kaiYaml(settings), "kai.yaml");

/** An agent with state, 1.0.0 and these versions behind it, each with what its kai.yaml says; the last one is in force. */
async function agentWith(...versions: readonly (Settings & { readonly message?: string })[]) {
  const agent = await agentWithVersions("1.0.0");
  for (const [index, { message = "feat: more", ...settings }] of versions.entries()) {
    const artifacts = { state: { include: ["state.json"] } };
    agent.write("kai.yaml", kaiYaml({ version_management: { artifacts }, ...settings }));
    agent.write("logic.py", `print("${index}")\n`);
    await makeVersion(agent, `${message.includes("!") ? 2 : 1}.${index + 1}.0`, message);
  }
  return agent;
}

const rollbackSystem = (settings: Settings) => agentWith({ rollback_system: settings });

/** The plan of going back to 1.0.0, or to another version. */
const planOf = async (agent: Awaited<ReturnType<typeof agentWith>>, to = "1.0.0") =>
  (await told(agent, "rollback", to, "--dry-run")).plan;

const SITUATION = {
  cwd: "/a",
  deployment: null,
  version: "1",
  from: "1",
  to: "2",
  operation: "x",
  commonDir: "/a/.git",
  repo: "r",
};

/** A command of the lifecycle as it is run. */
function commandWith(name: "stop" | "start" | "health" | "install" | "migrate", settings: Settings) {
  const { lifecycle } = read({ lifecycle: { [name]: { run: "true", ...settings } } });
  return lifecycleCommands(lifecycle, SITUATION)[name];
}

/** The policy that is followed, of one that says this. */
const policyWith = (settings: Settings, name?: string) =>
  choosePolicy(read({ rollback_system: { policies: [{ name: "own", ...settings }] } }).rollback_system, {
    name,
    emergency: false,
  });

const stepWith = (settings: Settings) =>
  policyWith({ steps: [{ type: "stop_agent", ...settings }] }).steps.find(({ type }) => type === "stop_agent");

/** Whether 1.0.0 can be gone back to over a breaking change under this condition. */
async function conditionRefuses(condition: Settings): Promise<boolean> {
  const policies = [{ name: "own", conditions: [condition] }];
  const agent = await agentWith({ rollback_system: { policies }, message: "feat!: answers are lists" });
  if (condition["type"] === "compatibility_check" && condition["required"] !== false) {
    expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E125" });
    return true;
  }
  expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ to: "1.0.0", ok: true });
  return false;
}

const ILL = { lifecycle: { health: { run: "false", retries: 0 } } };

/** What is said of a rollback to 1.1.0, which is ill, from 1.2.0. */
async function failedRollback(recovery: Settings): Promise<string> {
  const agent = await agentWith(ILL, { rollback_system: { recovery } });
  return (await refused(agent, "rollback", "1.1.0")).message;
}

const TESTS = (["performance", "functionality", "integration"] as const).map((kind) => {
  return { name: kind, kind, run: "true" };
});

/** What is checked after a rollback, without one kind of check. */
async function validationsWithout(key: string): Promise<string[]> {
  const checked = { lifecycle: { health: { run: "true" } }, snapshot_isolation: { tests: TESTS } };
  const agent = await agentWith(checked, { rollback_system: { validation: { [key]: false } } });
  const { validations } = await planOf(agent, "1.1.0");
  return validations.map(({ kind }: { kind: string }) => kind).sort();
}

const OLD_BACKUP = "refs/kai/backup/01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** Whether a backup of the year 2016 is there after a rollback. */
async function keepsOldBackup(retention: string): Promise<boolean> {
  const agent = await rollbackSystem({ backup_retention: retention });
  agent.git("update-ref", OLD_BACKUP, "HEAD");
  await told(agent, "rollback", "1.0.0");
  return agent.git("for-each-ref", OLD_BACKUP) !== "";
}

const timed = ["stop", "start", "health", "install", "migrate"] as const;

/** What shows that a key of `lifecycle` or `rollback_system` is in effect: two values of it, and what is different. */
export const SHOWN_ROLLBACK_KEYS: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(
    timed.flatMap((name) => [
      [
        `lifecycle.${name}.run`,
        () => {
          expect(commandWith(name, {})).toMatchObject({ run: "true" });
          expect(commandWith(name, { run: null })).toBeNull();
        },
      ],
      [
        `lifecycle.${name}.timeout`,
        () => expect(commandWith(name, { timeout: "7s" })).toMatchObject({ timeoutMs: 7000 }),
      ],
    ]),
  ),
  "lifecycle.health.retries": () => expect(commandWith("health", { retries: 7 })).toMatchObject({ retries: 7 }),
  "lifecycle.trigger.on": async () => {
    const agent = await agentWith({ lifecycle: { trigger: { on: ["before-operation"] } } });
    agent.write("logic.py", "more\n");
    agent.commit("feat: more");
    expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ versionBefore: { version: "1.2.0" } });
  },
  "lifecycle.trigger.schedule": async () => {
    const nextOf = async (schedule: string) =>
      (await told(await agentWith({ lifecycle: { trigger: { on: ["schedule"], schedule } } }), "trigger", "run")).next;
    expect([await nextOf("0 0 31 2 *"), await nextOf("0 * * * *")]).toEqual([null, expect.any(String)]);
  },
  "rollback_system.backup_retention": async () =>
    expect([await keepsOldBackup("30d"), await keepsOldBackup("20000d")]).toEqual([false, true]),
  "rollback_system.safety_checks": async () => {
    const agent = await agentWith({}, { rollback_system: { max_rollback_depth: 1, safety_checks: false } });
    expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ to: "1.0.0" });
  },
  "rollback_system.max_rollback_depth": async () => {
    const agent = await agentWith({}, { rollback_system: { max_rollback_depth: 1 } });
    expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E101" });
  },
  "rollback_system.backup_before_rollback": async () => {
    const kinds = async (wanted: boolean) =>
      (await planOf(await rollbackSystem({ backup_before_rollback: wanted }))).risks.map(
        ({ kind }: { kind: string }) => kind,
      );
    expect(await kinds(true)).not.toContain("short_backup");
    expect(await kinds(false)).toContain("short_backup");
  },
  "rollback_system.rollback_timeout": async () =>
    expect(await refused(await rollbackSystem({ rollback_timeout: "1ms" }), "rollback", "1.0.0")).toMatchObject({
      code: "E124",
    }),
  "rollback_system.policies": async () => {
    expect(await planOf(await rollbackSystem({}))).toMatchObject({ policy: "built-in" });
    expect(await planOf(await rollbackSystem({ policies: [{ name: "own" }] }))).toMatchObject({ policy: "own" });
  },
  "rollback_system.policies.name": () => {
    expect(policyWith({}, "own")).toMatchObject({ name: "own" });
    expect(() => policyWith({ name: "other" }, "own")).toThrow("There is no rollback policy");
  },
  "rollback_system.policies.conditions": async () => {
    expect(await conditionRefuses({ type: "compatibility_check" })).toBe(true);
    expect(policyWith({}).conditions).toEqual([]);
  },
  "rollback_system.policies.conditions.type": async () =>
    expect(await conditionRefuses({ type: "backup_verification" })).toBe(false),
  "rollback_system.policies.conditions.required": async () =>
    expect(await conditionRefuses({ type: "compatibility_check", required: false })).toBe(false),
  "rollback_system.policies.steps": () => {
    expect(stepWith({})).toBeDefined();
    expect(policyWith({}).steps.map(({ type }) => type)).not.toContain("stop_agent");
  },
  "rollback_system.policies.steps.type": () =>
    expect(policyWith({ steps: [{ type: "cleanup" }] }).steps.map(({ type }) => type)).toContain("cleanup"),
  "rollback_system.policies.steps.timeout": async () => {
    const policies = [{ name: "own", steps: [{ type: "validate_target", timeout: "7s" }] }];
    const { steps } = await planOf(await rollbackSystem({ policies }));
    expect(steps.find(({ type }: { type: string }) => type === "validate_target")).toMatchObject({ timeoutMs: 7000 });
  },
  "rollback_system.policies.steps.critical": () =>
    expect([stepWith({})?.critical, stepWith({ critical: false })?.critical]).toEqual([true, false]),
  "rollback_system.validation.health_checks": async () =>
    expect(await validationsWithout("health_checks")).toEqual(["functionality", "integration", "performance"]),
  "rollback_system.validation.performance_benchmarks": async () =>
    expect(await validationsWithout("performance_benchmarks")).toEqual(["functionality", "health", "integration"]),
  "rollback_system.validation.functionality_tests": async () =>
    expect(await validationsWithout("functionality_tests")).toEqual(["health", "integration", "performance"]),
  "rollback_system.validation.integration_tests": async () =>
    expect(await validationsWithout("integration_tests")).toEqual(["functionality", "health", "performance"]),
  "rollback_system.recovery.automatic_recovery": async () => {
    expect(await failedRollback({ automatic_recovery: true })).toContain("1.2.0 is in force instead");
    expect(await failedRollback({ automatic_recovery: false })).toContain("1.1.0 stays in force");
  },
  "rollback_system.recovery.recovery_timeout": async () =>
    expect(await failedRollback({ recovery_timeout: "1ms" })).toContain("1.1.0 stays in force"),
  "rollback_system.recovery.fallback_strategies": async () =>
    expect(await failedRollback({ fallback_strategies: ["last_known_good"] })).toContain(
      "1.0.0 is in force instead (last_known_good)",
    ),
};
