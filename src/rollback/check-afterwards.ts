import type { AgentConfig, SnapshotTest } from "../agent/config.js";
import { KaiError } from "../error.js";
import { type CommandContext, checkHealth } from "../system/agent-process.js";
import type { Prepared } from "./gather-facts.js";
import { runTests, type ScenarioResult, type TestsRequest } from "./run-tests.js";
import type { StepLog } from "./step-log.js";

/**
 * Asks whether what is in force now is well: the health command, then the scenarios. The step fails with the first that does
 * not hold; its failure is kept in the log of steps and not thrown, because all has happened.
 */
export async function checkAfterwards(
  cwd: string,
  { after, config, testKinds, checksHealth }: Pick<Prepared, "after" | "config" | "testKinds" | "checksHealth">,
  steps: StepLog,
  context: CommandContext & Pick<TestsRequest, "operation" | "comparison"> & Elsewhere,
): Promise<void> {
  // What could not be started needs no question.
  if (steps.failure !== undefined) return steps.note("validate_rollback", "skipped", null);
  await steps
    .run("validate_rollback", async ({ cancelled }) => {
      if (checksHealth && after.health) {
        const health = await checkHealth(after.health, { ...context, cancelled });
        steps.print("validate_rollback", health.output);
        if (!health.ok) throw notWell(`lifecycle.health: ${health.error}`);
      }
      const results = await runTests(config, testKinds, { cwd, ...context, cancelled });
      for (const { output, remark } of results) {
        steps.print("validate_rollback", output);
        if (remark !== null) steps.remark("validate_rollback", remark);
      }
      const bad = await firstThatCounts(results, config, steps, context);
      if (bad) throw notWell(`the ${bad.kind} test ${bad.name}: ${bad.error?.replace(/\.$/, "")}`);
    })
    .catch(() => {});
}

/** What tells of a scenario that it passed in an image of the version, by the id of the run; null where it did not. */
interface Elsewhere {
  readonly passedInImage?: (scenario: SnapshotTest) => Promise<string | null>;
}

/**
 * The first that failed and tells something of the version. One that has never passed on this machine, and did in an image of this very
 * version, tells more of this machine, which may lack what the image has: that is said, and no more.
 */
async function firstThatCounts(
  results: readonly ScenarioResult[],
  { snapshot_isolation: { tests } }: AgentConfig,
  steps: StepLog,
  { comparison, passedInImage }: Pick<TestsRequest, "comparison"> & Elsewhere,
): Promise<ScenarioResult | undefined> {
  for (const result of results) {
    const { name, kind, ok, error } = result;
    if (ok) continue;
    const scenario = tests.find((each) => each.name === name);
    const run = comparison?.hasPassed(name) || !scenario ? null : ((await passedInImage?.(scenario)) ?? null);
    if (run === null) return result;
    steps.remark(
      "validate_rollback",
      `The ${kind} test ${name} failed on this machine, where it has never passed; it passed in the version's image (run ${run.slice(0, 10)}), and that counts: ${error}`,
    );
  }
  return undefined;
}

const notWell = (why: string): KaiError => new KaiError("E127", why);
