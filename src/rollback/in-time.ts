import { KaiError } from "../error.js";
import { after } from "../system/timer.js";
import type { PlanStep } from "./plan.js";

/** What a step's work is told: the time that it has (`timeoutMs`), and when nobody waits for it any more. */
export interface RunningStep extends PlanStep {
  readonly cancelled: AbortSignal;
}

/** A command is ended when its time is up, which tells more than that it was; this is for what does not end even then. */
const COMMAND_GRACE_MS = 30_000;

/** Whose time is up is no longer waited for, and told so; what is interrupted is told, and waited for. */
export async function inTime<T>(
  step: PlanStep,
  work: (step: RunningStep) => Promise<T>,
  interrupted: AbortSignal | undefined,
): Promise<T> {
  const over = new AbortController();
  const interrupt = () => over.abort();
  interrupted?.addEventListener("abort", interrupt);
  let forget = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const most = step.command === null ? step.timeoutMs : step.timeoutMs + COMMAND_GRACE_MS;
    forget = after(most, () => reject(outOfTime(step)));
  });
  const working = work({ ...step, cancelled: over.signal });
  try {
    return await Promise.race([working, late]);
  } finally {
    forget();
    interrupted?.removeEventListener("abort", interrupt);
    over.abort();
    working.catch(() => {});
  }
}

export const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(3))} s`;

/** E124 for a step. */
export const outOfTime = ({ type, timeoutMs }: PlanStep): KaiError =>
  new KaiError("E124", `${type} took longer than ${seconds(timeoutMs)}.`, {
    hint: "Its `timeout` in rollback_system.policies bounds it, and `rollback_system.rollback_timeout` all that is before the commit point.",
  });

/** E124 for all that is before the commit point. */
export const tooLate = (timeoutMs: number): KaiError =>
  new KaiError("E124", `It was not ready for its commit point within ${seconds(timeoutMs)}.`, {
    hint: "`rollback_system.rollback_timeout` bounds it. Nothing was changed.",
  });
