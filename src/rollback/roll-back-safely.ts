import { KaiError } from "../error.js";
import { readAgentHistory } from "../version/reading.js";
import type { RollbackCaller } from "./execution.js";
import type { FallbackStrategy } from "./plan.js";
import type { RollbackOptions } from "./request.js";
import { type RollbackResult, rollBack } from "./rollback.js";
import { type Suggestion, suggestTargets } from "./suggest.js";

/** One way out that was tried. */
export interface Fallback {
  readonly strategy: FallbackStrategy;
  readonly to: string;
  readonly operation: string | null;
  readonly ok: boolean;
  readonly error: string | null;
}

/**
 * Goes back, and where what comes into force is not well, goes on by the fallback strategies in their order, as new operations,
 * until one holds or `recovery_timeout` is over. E127 in either case: what was asked for is not in force.
 */
export async function rollBackSafely(caller: RollbackCaller, options: RollbackOptions): Promise<RollbackResult> {
  const result = await rollBack(caller, options);
  if (result.ok || result.operation === null) return result;
  const { recovery } = result.plan;
  if (!recovery.automatic) throw didNotHold(result, []);
  const tried: Fallback[] = [];
  const deadline = performance.now() + recovery.timeoutMs;
  for (const strategy of recovery.strategies) {
    const withinMs = Math.floor(deadline - performance.now());
    if (withinMs <= 0) break;
    const fallback = await fallBack(caller, strategy, result, { ...options, withinMs });
    if (fallback === undefined) continue;
    tried.push(fallback);
    if (fallback.ok) break;
  }
  throw didNotHold(result, tried);
}

/** Tries one way out; undefined where it leads nowhere. */
async function fallBack(
  caller: RollbackCaller,
  strategy: FallbackStrategy,
  failed: RollbackResult,
  options: RollbackOptions,
): Promise<Fallback | undefined> {
  const way = await FIND[strategy](caller, failed);
  if (way === undefined) return undefined;
  caller.progress(`Recovering: ${strategy}`);
  try {
    const done = await rollBack(caller, {
      ...way,
      force: true,
      trustCommands: options.trustCommands ?? false,
      withinMs: options.withinMs,
      recovers: failed.operation ?? undefined,
    });
    const { operation, ok, steps } = done;
    const error = ok ? null : (steps.find(({ status }) => status === "failed")?.error ?? "it is not well either");
    return { strategy, to: done.version, operation, ok, error };
  } catch (cause) {
    // Whatever it was, also the disk's: what came before it has happened, and is told.
    return { strategy, to: way.to, operation: null, ok: false, error: (cause as Error).message };
  }
}

const FIND: Readonly<
  Record<FallbackStrategy, (caller: RollbackCaller, failed: RollbackResult) => Promise<RollbackOptions | undefined>>
> = {
  // As it was before the rollback, files and state.
  emergency_snapshot: async (_caller, { operation }) =>
    operation === null ? undefined : { to: operation, type: "snapshot" },
  last_known_good: async (caller, { version, from }) => {
    const { history } = await readAgentHistory(caller.cwd, caller.env);
    const good = suggestTargets(history, caller.now()).find(
      (each) => each.version !== version && each.version !== from && wasGood(each),
    );
    return good && { to: good.version };
  },
};

/** Times of the log are whole seconds: what was in force for less than one may have been well all the same. */
const wasGood = ({ well, inForceMs, failed }: Suggestion): boolean => failed === 0 && (well > 0 || inForceMs > 0);

function didNotHold(result: RollbackResult, tried: readonly Fallback[]): KaiError {
  const why = result.steps.find(({ status }) => status === "failed");
  const held = tried.find(({ ok }) => ok);
  const now = held ? `${held.to} is in force instead (${held.strategy})` : `${result.version} stays in force`;
  return new KaiError(
    "E127",
    `The rollback to ${result.to} did not hold: ${(why?.error ?? "it was not well").replace(/\.$/, "")}. ${now}.`,
    {
      hint: held
        ? "`git kai-version log` tells the story; `rollback --suggest` ranks other versions."
        : `${tried.map(({ strategy, error }) => `${strategy}: ${error?.replace(/\.$/, "")}. `).join("")}\`git kai-version undo\` takes the last step back; \`rollback --suggest\` ranks other versions.`,
      ...(held === undefined && tried.length > 0 && { exit: 4 }),
      data: { rollback: result, fallbacks: tried, recovered: held ?? null },
    },
  );
}
