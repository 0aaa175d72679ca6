import type { SnapshotTest } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { WritingSession } from "../version/writing-session.js";

/**
 * What a scenario that never passed on this machine owes to it: the run in which it passed over this very tree, in an image that has
 * what this machine may lack, signed by a tester. Null where the newest such run failed, or there is none.
 */
export async function passedInImage(
  { agent, log }: Pick<WritingSession, "agent" | "log">,
  tree: string,
  scenario: SnapshotTest,
): Promise<string | null> {
  // Few come here: only where a test has failed.
  const [{ readRunsOf }, { scenarioDigest }] = await Promise.all([
    import("../snapshot/runs/recorded-runs.js"),
    import("../snapshot/runs/scenario-digest.js"),
  ]);
  const digest = scenarioDigest(scenario);
  try {
    for await (const { id, record, whyUnproven } of readRunsOf({ repository: agent.repository, log }, tree)) {
      const counts = record.scenarioDigest === digest && record.pristine && record.isolation.image !== "host";
      if (counts && (await whyUnproven()) === null) return record.passed ? id : null;
    }
  } catch (cause) {
    // What cannot be read is no evidence, and no reason to end the rollback where it is.
    if (!(cause instanceof KaiError)) throw cause;
  }
  return null;
}
