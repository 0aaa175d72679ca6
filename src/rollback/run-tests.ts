import type { AgentConfig, SnapshotTest } from "../agent/config.js";
import { formatBytes } from "../agent/format-bytes.js";
import { parseDuration } from "../agent/quantity.js";
import type { Comparison, EarlierResult } from "../snapshot/testing/earlier-results.js";
import { judgeExpectations } from "../snapshot/testing/expectations.js";
import { expectationsOf, notCompared } from "../snapshot/testing/expectations-of.js";
import { agentEnvironment } from "../system/agent-environment.js";
import { runShell, type ShellResult } from "../system/shell.js";
import type { StartShell } from "../system/start-shell.js";

export interface TestsRequest {
  /** Where they are run: the agent's folder. */
  readonly cwd: string;
  /** The caller's environment, from which no key reaches them. */
  readonly env: NodeJS.ProcessEnv;
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Id of the one that asks, by which what is left of them is found. */
  readonly operation: string;
  /** With what versions before took; default: with none. */
  readonly comparison?: Comparison | undefined;
  /** Where they run. Default: on this host. */
  readonly startShell?: StartShell | undefined;
  /** Ends what runs, and begins no other. */
  readonly cancelled?: AbortSignal | undefined;
}

export interface ScenarioResult {
  readonly name: string;
  readonly kind: SnapshotTest["kind"];
  readonly ok: boolean;
  readonly durationMs: number;
  /** The most bytes of memory seen; null where none could be. */
  readonly peakMemory: number | null;
  /** What it fell short of; null where it passed. */
  readonly error: string | null;
  /** What it is compared with, or that it is not; null where it need not be. */
  readonly remark: string | null;
  /** Both streams, the last 64 KiB. */
  readonly output: string;
}

const GRACE_MS = 5000;
/** As a shell says of what a signal ended. */
const OF_A_SIGNAL = 128;

/**
 * Runs the scenarios of kai.yaml of these kinds on this host, one after the other, in the agent's folder: for an agent that
 * was just put in place, which a sandbox would not see. One that fails is a result.
 */
export async function runTests(
  { snapshot_isolation: { tests, resource_limits: limits } }: AgentConfig,
  kinds: readonly SnapshotTest["kind"][],
  request: TestsRequest,
): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of tests.filter(({ kind }) => kinds.includes(kind))) {
    if (request.cancelled?.aborted) break;
    results.push(await runScenario(scenario, parseDuration(scenario.timeout ?? limits.timeout), request));
  }
  await request.comparison?.keep(results.filter(({ ok }) => ok));
  return results;
}

async function runScenario(
  scenario: SnapshotTest,
  timeoutMs: number,
  { cwd, env, operation, onOutput, cancelled, comparison, startShell }: TestsRequest,
): Promise<ScenarioResult> {
  const { name, kind, run } = scenario;
  const own = agentEnvironment(env, { KAI_OPERATION: operation });
  const asked = { run, cwd, env: own, timeoutMs, graceMs: GRACE_MS, onOutput, cancelled, startShell };
  const ran = await runShell({ ...asked, observed: true });
  const before = comparison?.find(name);
  const error = judge(scenario, ran, before);
  const { durationMs, output, peakMemory = null } = ran;
  const remark = scenario.expect.worse_than_before === null ? null : compared(scenario, ran, before);
  return { name, kind, ok: error === null, durationMs, peakMemory, error, remark, output };
}

function compared(scenario: SnapshotTest, ran: ShellResult, before: EarlierResult | undefined): string {
  if (before === undefined) return notCompared(scenario);
  const memory =
    before.peakMemory === null
      ? ""
      : `, ${ran.peakMemory === undefined ? "unknown" : formatBytes(ran.peakMemory)} and ${formatBytes(before.peakMemory)} of memory`;
  return `${scenario.name}: ${ran.durationMs} ms, with ${before.version} ${before.durationMs} ms${memory}.`;
}

function judge(scenario: SnapshotTest, ran: ShellResult, before: EarlierResult | undefined): string | null {
  if (ran.problem !== null) return `It could not be started: ${ran.problem}.`;
  if (ran.signal !== null && !ran.timedOut) return `It was ended by ${ran.signal}.`;
  const { stdout, durationMs, timedOut, peakMemory } = ran;
  const resources = peakMemory === undefined ? {} : { peakMemory };
  const exitCode = ran.exitCode ?? OF_A_SIGNAL;
  const observed = { exitCode, stdout, durationMs, timedOut, oomKilled: false, resources };
  const failures = judgeExpectations(observed, expectationsOf(scenario, before));
  return failures.length === 0 ? null : failures.join(" ");
}
