import { expect, test } from "vitest";
import { KaiError } from "../../src/error.js";
import { type PlanFacts, planRollback } from "../../src/rollback/plan.js";
import { choosePolicy, type RollbackPolicy } from "../../src/rollback/policy.js";
import { StepLog } from "../../src/rollback/step-log.js";
import { STEP_ORDER } from "../../src/rollback/step-types.js";

const BUILT_IN = choosePolicy({ policies: [] } as never, { name: undefined, emergency: false });
const COMMAND = { run: "true", timeoutMs: 4000 };

/** A plan in which everything applies, but for what is said. */
function planOf(facts: Partial<PlanFacts> = {}) {
  return planRollback({
    type: "version",
    leavesAgent: false,
    from: "1.1.0",
    to: "1.0.0",
    mints: null,
    stateAlone: false,
    renumbers: false,
    takes: { role: "operator", why: null },
    deployment: null,
    policy: BUILT_IN,
    conditions: [],
    commands: { stop: COMMAND, install: COMMAND, start: COMMAND, health: COMMAND, migrate: null, runs: true },
    environmentChanges: true,
    putsBack: 0,
    state: { kind: "capture", ref: "refs/kai/state/v1.0.0", digest: null },
    saveState: true,
    files: { changed: 2, config: 1 },
    undone: 1,
    validations: [{ kind: "health", name: "lifecycle.health" }],
    risks: [],
    earlier: new Map(),
    timeoutMs: 60_000,
    recovery: { automatic: true, timeoutMs: 1000, strategies: [] },
    ...facts,
  });
}

const quick = (type: string, critical = true): RollbackPolicy => ({
  ...BUILT_IN,
  steps: BUILT_IN.steps.map((step) => (step.type === type ? { ...step, timeoutMs: 20, critical } : step)),
});
const never = () => new Promise<never>(() => {});
const failing = async () => {
  throw new KaiError("E118", "The disk is full.");
};

test("all ten steps in their order, each after what it depends on", () => {
  const { steps } = planOf();
  expect(steps.map(({ type }) => type)).toEqual(STEP_ORDER);
  expect(steps.every(({ applies }) => applies)).toBe(true);
  for (const [number, { dependsOn }] of steps.entries()) {
    for (const each of dependsOn) expect(STEP_ORDER.indexOf(each)).toBeLessThan(number);
  }
});

test("a step's time is the policy's, else its command's, else what is usual", () => {
  const policy = quick("start_agent");
  const times = new Map(planOf({ policy }).steps.map(({ type, timeoutMs }) => [type, timeoutMs]));
  expect([times.get("start_agent"), times.get("stop_agent"), times.get("cleanup")]).toEqual([20, 4000, 60_000]);
});

test("the longest time of a step is its own, and what ending its command and the agent takes", () => {
  const beyond = new Map(planOf().steps.map(({ type, timeoutMs, longestMs }) => [type, longestMs - timeoutMs]));
  expect([beyond.get("stop_agent"), beyond.get("start_agent")]).toEqual([20_000, 17_000]);
  expect([beyond.get("restore_dependencies"), beyond.get("cleanup")]).toEqual([5000, 0]);
});

test("where nothing that runs is changed the agent is left alone", () => {
  const files = { changed: 0, config: 0 };
  const { steps } = planOf({ files, state: { kind: "live", why: "as asked" } });
  const applying = steps.filter(({ applies }) => applies).map(({ type }) => type);
  expect(applying).not.toContain("stop_agent");
  expect(applying).not.toContain("start_agent");
});

test("an estimate is the sum of what the steps took, and null where nothing is known", () => {
  expect(planOf().estimateMs).toBeNull();
  expect(
    planOf({
      earlier: new Map([
        ["stop_agent", 200],
        ["restore_code", 30],
      ]),
    }).estimateMs,
  ).toBe(230);
});

test("a step that takes too long is given up, and hears of it", async () => {
  const steps = new StepLog(planOf({ policy: quick("backup_current") }), undefined);
  let heard: AbortSignal | undefined;
  const work = steps.run("backup_current", ({ cancelled }) => {
    heard = cancelled;
    return never();
  });
  await expect(work).rejects.toMatchObject({ code: "E124", message: "backup_current took longer than 0.02 s." });
  expect(heard?.aborted).toBe(true);
  expect(steps.results).toMatchObject([{ type: "backup_current", status: "failed" }]);
});

test("a step that is not critical fails without harm, and is no failure of the rollback", async () => {
  const steps = new StepLog(planOf({ policy: quick("cleanup", false) }), undefined);
  expect(await steps.run("cleanup", failing)).toBeUndefined();
  expect(steps.results).toMatchObject([{ type: "cleanup", status: "failed", error: "The disk is full." }]);
  expect(steps.failure).toBeUndefined();
});

test("what no rollback can be without is critical whatever a policy says", async () => {
  const config = {
    policies: [{ name: "p", conditions: [], steps: [{ type: "validate_target", timeout: null, critical: false }] }],
  };
  const policy = choosePolicy(config as never, { name: undefined, emergency: false });
  const steps = new StepLog(planOf({ policy }), undefined);
  await expect(steps.run("validate_target", failing)).rejects.toMatchObject({ code: "E118" });
  expect(policy.steps.map(({ type }) => type)).toEqual(["validate_target", "restore_code", "restore_config"]);
});

test("the time to the commit point bounds a step before it, and none behind it", async () => {
  const steps = new StepLog(planOf({ timeoutMs: 30 }), undefined);
  await expect(steps.run("backup_current", never)).rejects.toMatchObject({ code: "E124" });
  await expect(steps.run("stop_agent", async () => "not begun")).rejects.toMatchObject({
    message: "It was not ready for its commit point within 0.03 s.",
  });
  expect(() => steps.requireTime()).toThrow("commit point");
  expect(await steps.run("start_agent", async () => "begun")).toBe("begun");
});

test("recovery_timeout bounds a way out behind its commit point, too, and the step says so", async () => {
  const steps = new StepLog(planOf(), undefined, { recoveryMs: 40 });
  const slow = ({ timeoutMs }: { timeoutMs: number }) =>
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error("It hung")), timeoutMs));
  await expect(steps.run("start_agent", slow)).rejects.toThrow("It hung");
  expect(steps.failure?.error).toBe("It hung. recovery_timeout is over.");
  await expect(steps.run("validate_rollback", never)).rejects.toMatchObject({ code: "E124" });
  expect(steps.results.at(-1)?.error).toMatch(/ recovery_timeout is over\.$/);
  expect(await steps.run("cleanup", async () => "done")).toBe("done");
  const early = new StepLog(planOf(), undefined, { recoveryMs: 3000 });
  await early.run("start_agent", failing).catch(() => {});
  expect(early.failure?.error).toBe("The disk is full. recovery_timeout left it no more than 3 s.");
});

test("what was done is compensated where that means anything, what failed is not", async () => {
  const steps = new StepLog(planOf(), undefined);
  await steps.run("validate_target", async () => {});
  await steps.run("stop_agent", async () => {});
  await steps.run("restore_data", failing).catch(() => {});
  steps.compensate();
  expect(steps.results.map(({ type, status }) => [type, status])).toEqual([
    ["validate_target", "done"],
    ["stop_agent", "compensated"],
    ["restore_data", "failed"],
  ]);
  expect(steps.failure?.type).toBe("restore_data");
});

test("a command's failure shows its last lines, none of them long, and keeps all of it", async () => {
  const steps = new StepLog(planOf(), undefined);
  const output = `first\nsecond\n${"x".repeat(5000)}\nlast\n`;
  const outcome = {
    ok: false,
    exitCode: 3,
    signal: null,
    timedOut: false,
    output,
    dropped: 0,
    durationMs: 1,
    error: "It ended.",
  };
  const failure = await steps.command("stop_agent", async () => outcome).catch((cause: KaiError) => cause);
  expect(failure).toMatchObject({ code: "E126", message: "stop_agent failed: It ended." });
  expect((failure as KaiError).hint).toMatch(
    /`--type emergency`\. It ran "true"\. It printed last: second \| …x{200} \| last$/,
  );
  expect(steps.results[0]?.output).toBe(output);
});

test("who listens hears of each step that applies, when it begins and when it ends", async () => {
  const heard: string[] = [];
  const steps = new StepLog(planOf({ commands: { ...planCommands(), start: null } }), {
    begins: ({ type }) => heard.push(`begins ${type}`),
    ends: ({ type, status }) => heard.push(`${type} ${status}`),
  });
  await steps.run("backup_current", async () => {});
  await steps.run("start_agent", async () => {});
  expect(heard).toEqual(["begins backup_current", "backup_current done", "start_agent skipped"]);
});

const planCommands = () => ({ stop: null, install: null, start: null, health: null, migrate: null, runs: false });

test("the backup of state that is replaced is critical, whatever a policy says of it", () => {
  const lenient = quick("backup_current", false);
  const critical = (facts: Partial<PlanFacts>) =>
    planOf({ policy: lenient, ...facts }).steps.find(({ type }) => type === "backup_current")?.critical;
  expect(critical({})).toBe(true);
  expect(critical({ saveState: false, state: { kind: "live", why: "" } })).toBe(false);
});
