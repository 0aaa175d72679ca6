import { KaiError } from "../error.js";
import { type CommandContext, checkHealth } from "../system/agent-process.js";
import type { Prepared } from "./gather-facts.js";
import { runTests, type TestsRequest } from "./run-tests.js";
import type { StepLog } from "./step-log.js";

/**
 * Asks whether what is in force now is well: the health command, then the scenarios. The step fails with the first that does
 * not hold; its failure is kept in the log of steps and not thrown, because all has happened.
 */
export async function checkAfterwards(
  cwd: string,
  { after, config, testKinds, checksHealth }: Pick<Prepared, "after" | "config" | "testKinds" | "checksHealth">,
  steps: StepLog,
  context: CommandContext & Pick<TestsRequest, "operation" | "comparison">,
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
      const bad = results.find(({ ok }) => !ok);
      if (bad) throw notWell(`the ${bad.kind} test ${bad.name}: ${bad.error?.replace(/\.$/, "")}`);
    })
    .catch(() => {});
}

const notWell = (why: string): KaiError => new KaiError("E127", why);
