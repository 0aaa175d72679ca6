import type { AgentConfig } from "../../agent/config.js";
import type { RecordedRun } from "../runs/recorded-runs.js";
import { isolationOf, type RunIsolation } from "../runs/run-isolation.js";
import { scenarioDigest } from "../runs/scenario-digest.js";
import { planSettings } from "../snapshot-settings.js";
import { whyWeaker } from "./weaker-isolation.js";

/** What the runs that count say of one scenario. */
export interface ScenarioVerdict {
  readonly name: string;
  readonly state: "passed" | "failed" | "untested";
  /** Of an untested one: why its newest run does not count; null where it has none. */
  readonly why: string | null;
  /** The commit of the run that decides, or of the one that does not count. */
  readonly run: string | null;
}

/**
 * Judges the scenarios of a kai.yaml by the runs over its tree, the newest first: of those that count the newest decides. A run
 * counts that a tester signed, that began with the very files, and that was isolated at least as this kai.yaml asks; a pass of
 * `worse_than_before` only where it was compared, if there is a version before with that scenario (`comparable`, by digests). E103, E122
 * where that asks for what is no sandbox.
 */
export async function judgeScenarios(
  isolation: AgentConfig["snapshot_isolation"],
  runs: AsyncIterable<RecordedRun>,
  comparable: ReadonlySet<string>,
): Promise<ScenarioVerdict[]> {
  const digests = isolation.tests.map((scenario) => ({ scenario, digest: scenarioDigest(scenario) }));
  const scenarios = digests.map(({ scenario, digest }) => ({
    name: scenario.name,
    digest,
    compares: scenario.expect.worse_than_before !== null && comparable.has(digest),
    asked: isolationOf(planSettings(isolation, { timeout: scenario.timeout ?? undefined })),
  }));
  const verdicts = new Map<string, ScenarioVerdict>();
  const isDecided = ({ name }: { name: string }) => (verdicts.get(name)?.state ?? "untested") !== "untested";
  for await (const run of runs) {
    const scenario = scenarios.find(({ digest }) => digest === run.record.scenarioDigest);
    if (scenario === undefined || isDecided(scenario)) continue;
    const { name, asked, compares } = scenario;
    const why = (await run.whyUnproven()) ?? whyNotCounted(run, asked) ?? (compares ? whyNotCompared(run) : null);
    if (why === null) verdicts.set(name, { name, state: run.record.passed ? "passed" : "failed", why, run: run.id });
    else if (!verdicts.has(name)) verdicts.set(name, { name, state: "untested", why, run: run.id });
    if (scenarios.every(isDecided)) break;
  }
  return scenarios.map(({ name }) => verdicts.get(name) ?? { name, state: "untested", why: null, run: null });
}

export const NOT_COMPARED = "it was compared with no version before";

/** A failure is one whatever it was compared with. */
const whyNotCompared = ({ record: { passed, notCompared } }: RecordedRun): string | null =>
  passed && notCompared !== false ? NOT_COMPARED : null;

function whyNotCounted({ record }: RecordedRun, asked: RunIsolation): string | null {
  if (!record.pristine) return "its sandbox did not begin with the version's files";
  const ran = record.isolation.settings;
  return ran === undefined ? "it does not say how it was isolated" : whyWeaker(ran, asked);
}
