import type { Entry } from "../operation/entry.js";
import { readAgentHistory } from "../version/reading.js";
import type { RollbackCaller } from "./decided.js";
import type { FallbackStrategy, RollbackPlan } from "./plan.js";
import type { RollbackOptions } from "./request.js";
import { rollBack } from "./rollback.js";
import type { StepResult } from "./step-result.js";
import { type Suggestion, suggestTargets } from "./suggest.js";

/** An operation behind whose commit point what came into force was not well. */
export interface NotHeld {
  readonly operation: string;
  readonly from: string | null;
  /** What came into force by it. */
  readonly version: string;
  readonly plan: RollbackPlan;
  readonly steps: readonly StepResult[];
}

/** One way out that was tried. */
export interface Fallback {
  readonly strategy: FallbackStrategy;
  readonly to: string;
  /** The operation by which something came into force; null where none did. */
  readonly operation: string | null;
  readonly ok: boolean;
  readonly error: string | null;
}

/** One that was not. */
export interface UntriedFallback {
  readonly strategy: FallbackStrategy;
  readonly why: string;
}

export interface Fallbacks {
  readonly tried: readonly Fallback[];
  /** Of those that stood before the one that held, or of all. */
  readonly untried: readonly UntriedFallback[];
  /** What is in force after the last of them; null for nothing. */
  readonly inForce: string | null;
}

export interface FallBackOptions {
  readonly trustCommands: boolean;
  /** Why by none of them; null where nothing forbids it. */
  readonly barred: string | null;
  /** Ways out that came into force before somebody was killed: it goes on behind the last of them. */
  readonly tried: readonly Fallback[];
}

/** Goes on by the fallback strategies in their order, as new operations, until one holds or `recovery_timeout` is over. */
export async function fallBack(
  caller: RollbackCaller,
  failed: NotHeld,
  { trustCommands, barred, tried: before }: FallBackOptions,
): Promise<Fallbacks> {
  const { automatic, strategies, timeoutMs } = failed.plan.recovery;
  const tried = [...before];
  const untried: UntriedFallback[] = [];
  const deadline = performance.now() + timeoutMs;
  let noneRuns = before.length === 0 && isEnded(failed.steps);
  for (const strategy of strategies.slice(strategies.indexOf(tried.at(-1)?.strategy as FallbackStrategy) + 1)) {
    const withinMs = Math.floor(deadline - performance.now());
    const late = withinMs <= 0 ? `recovery_timeout is over (${timeoutMs / 1000} s)` : null;
    const not = barred ?? (automatic ? late : "automatic_recovery is false");
    const way = not ?? (await FIND[strategy](caller, failed));
    if (typeof way === "string") {
      untried.push({ strategy, why: way });
      continue;
    }
    caller.progress(`Recovering: ${strategy}`);
    const { steps, ...fallback } = await tryOne(caller, strategy, failed, {
      ...way,
      trustCommands,
      withinMs,
      noneRuns,
    });
    if (steps !== undefined) noneRuns = isEnded(steps);
    tried.push(fallback);
    if (fallback.ok) break;
  }
  const last = tried.findLast(({ operation }) => operation !== null)?.to ?? failed.version;
  return { tried, untried, inForce: await inForceNow(caller, last) };
}

async function tryOne(
  caller: RollbackCaller,
  strategy: FallbackStrategy,
  failed: NotHeld,
  way: RollbackOptions,
): Promise<Fallback & { readonly steps?: readonly StepResult[] }> {
  try {
    const done = await rollBack(caller, { ...way, force: true, recovers: failed.operation });
    const { operation, ok, steps } = done;
    return { strategy, to: done.version, operation, ok, error: ok ? null : whyIll(steps), steps };
  } catch (cause) {
    // Whatever it was, also the disk's: what came before it has happened, and is told.
    return { strategy, to: way.to, operation: null, ok: false, error: (cause as Error).message };
  }
}

/** What does not start well is ended again. */
const isEnded = (steps: readonly StepResult[]): boolean =>
  steps.some(({ type, status }) => type === "start_agent" && status === "failed");

const whyIll = (steps: readonly StepResult[]): string =>
  steps.find(({ status }) => status === "failed")?.error ?? "it is not well either";

/** A way out that came into force and was not well, as the log tells of it, and its steps. */
export const triedBefore = ({ id, details, current }: Entry, steps: readonly StepResult[]): Fallback => ({
  strategy: details["type"] === "snapshot" ? "emergency_snapshot" : "last_known_good",
  to: current.after?.version ?? "",
  operation: id,
  ok: false,
  error: whyIll(steps),
});

/** What the log says, which moves also where a way out failed behind its commit point; `known` where it cannot be read. */
const inForceNow = (caller: RollbackCaller, known: string): Promise<string | null> =>
  readAgentHistory(caller.cwd, caller.env).then(
    ({ history }) => history.current?.version ?? null,
    () => known,
  );

/** Where a strategy leads, or why nowhere. */
const FIND: Readonly<
  Record<FallbackStrategy, (caller: RollbackCaller, failed: NotHeld) => Promise<RollbackOptions | string>>
> = {
  // As it was before the rollback, files and state.
  emergency_snapshot: async (_caller, { operation }) => ({ to: operation, type: "snapshot" }),
  last_known_good: async (caller, { version, from }) => {
    const { history } = await readAgentHistory(caller.cwd, caller.env);
    const good = suggestTargets(history, caller.now()).find(
      (each) => each.version !== version && each.version !== from && wasGood(each),
    );
    return good ? { to: good.version } : "no other version was in force and never found ill";
  },
};

/** Times of the log are whole seconds: what was in force for less than one may have been well all the same. */
const wasGood = ({ well, inForceMs, failed, standing }: Suggestion): boolean =>
  failed === 0 && (well > 0 || inForceMs > 0) && standing?.status !== "archived";
