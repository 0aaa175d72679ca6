import { rmSync } from "node:fs";
import path from "node:path";
import { type Agent, copyAgent } from "../support/agent.js";
import { isTemporaryObject, recoverAndJudge, type Scenario, type Side, type Start, startOf } from "./judge.js";
import { end, start } from "./live-agent.js";
import { type Blow, runTraced, type Strike, type Traced } from "./run-traced.js";

export interface SweepResult {
  readonly tried: number;
  readonly before: number;
  readonly after: number;
  /** What was wrong at which call; empty where all is well. */
  readonly failures: readonly string[];
}

/** The writing calls of the command when nothing strikes; throws where it fails even then. */
export async function callsOf(scenario: Scenario): Promise<readonly string[]> {
  const { exit, stdout, stderr, calls } = await inCopy(scenario, (copy) => runInterrupted(copy, scenario));
  if (exit !== 0) throw new Error(`${scenario.name} fails by itself: ${stdout}${stderr}`);
  return calls;
}

async function runInterrupted(agent: Agent, scenario: Scenario, strike?: Strike): Promise<Traced> {
  const { interrupt, args } = scenario;
  if (interrupt) await runTraced(agent, interrupt.args, interrupt.strike);
  return runTraced(agent, args, strike);
}

/** How many copies are struck side by side. */
const PARALLEL = 2;

/** Strikes `scenario` at each of these calls, recovers, and looks for anything amiss. */
export async function sweep(scenario: Scenario, strikes: readonly Strike[]): Promise<SweepResult> {
  const known = scenario.live ? undefined : startOf(scenario);
  const failures: string[] = [];
  const ended = { before: 0, after: 0 };
  const waiting = [...strikes];
  const work = async () => {
    for (let strike = waiting.shift(); strike !== undefined; strike = waiting.shift()) {
      const next = strike;
      const { side, problems, call } = await inCopy(scenario, (agent) => strikeOnce(scenario, agent, known, next));
      ended[side]++;
      const where = `${scenario.name}, ${next.blow} at ${call}, ${side}`;
      failures.push(...problems.map((problem) => `${where}: ${problem}`));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return { tried: strikes.length, ...ended, failures };
}

async function inCopy<T>({ agent: of, runs, live }: Scenario, work: (agent: Agent) => Promise<T>): Promise<T> {
  const agent = copyAgent(of);
  try {
    if (runs) await start(agent);
    await live?.start(agent);
    return await work(agent);
  } finally {
    // Also one that was started although none ran.
    await end(agent);
    await live?.end(agent);
    rmSync(path.dirname(agent.dir), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function strikeOnce(
  scenario: Scenario,
  agent: Agent,
  known: Start | undefined,
  strike: Strike,
): Promise<{ side: Side; problems: string[]; call: string }> {
  const before = known ?? startOf({ ...scenario, agent });
  const traced = await runInterrupted(agent, scenario, strike);
  const call = traced.struck.replaceAll(agent.dir, "");
  // git itself goes on where unpacking fails, keeps the pack, and leaves the object that was half-written to its gc.
  const mayStay = traced.exit === 0 ? isTemporaryObject : () => false;
  const { side, problems } = await recoverAndJudge(scenario, agent, before, mayStay);
  problems.push(...judgeWords(scenario, traced, strike.blow, side));
  return { side, problems, call };
}

/** What the program said fits what became of it. */
function judgeWords(scenario: Scenario, traced: Traced, blow: Blow, side: "before" | "after"): string[] {
  if (blow === "all" || blow === "first" || traced.exit === 137) return [];
  const code = /Error (E\d+)/.exec(traced.stderr)?.[1];
  const said = `said ${code ?? "nothing"} with status ${traced.exit}: ${traced.stderr}`;
  if (traced.exit === 0) return side === "after" || scenario.args[0] === "recover" ? [] : [`not done, and ${said}`];
  if (scenario.args[0] === "recover") return code === "E170" ? [said] : [];
  // The pin is this clone's alone; `init` says so, and the next one pins again.
  if (side === "after" && /is founded, but its pin .* could not be written/.test(traced.stderr)) return [];
  if (side === "after") return traced.exit === 4 && /recover/.test(traced.stderr) ? [] : [`done, and ${said}`];
  // E123: of a database that could not be copied, because sqlite3 was killed.
  return ["E116", "E117", "E118", "E123"].includes(code ?? "") ? [] : [`not done, and ${said}`];
}

/** `count` numbers from 1 to `total`, one from each stretch of it, the same for the same seed. */
export function sample(total: number, count: number, seed: number): number[] {
  const points = new Set<number>();
  let state = seed;
  for (let index = 0; index < Math.min(count, total); index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const [from, to] = [Math.floor((index * total) / count), Math.floor(((index + 1) * total) / count)];
    points.add(1 + from + ((state >>> 8) % Math.max(1, to - from)));
  }
  return [...points].filter((point) => point <= total);
}
