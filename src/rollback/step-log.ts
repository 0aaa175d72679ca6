import type { CommandOutcome } from "../system/agent-process.js";
import { asSentence } from "../system/why-failed.js";
import { failedCommand } from "./failed-command.js";
import { inTime, outOfTime, type RunningStep, seconds, tooLate } from "./in-time.js";
import type { PlanStep, RollbackPlan } from "./plan.js";
import { ASKING, type StepResult } from "./step-result.js";
import { STEP_ORDER, type StepType } from "./step-types.js";

export interface StepListener {
  begins(step: PlanStep): void;
  ends(result: StepResult): void;
}

/** Characters of what all commands of a step printed. */
const KEPT_OUTPUT = 64 * 1024;

/** What ends steps early, and how to go on then. */
export interface StepLimits {
  readonly interrupted?: AbortSignal | undefined;
  /** Of a way out: milliseconds from now on, also behind the commit point. */
  readonly recoveryMs?: number | undefined;
  /** Whether another way to the target has to be forced. */
  readonly forced?: boolean | undefined;
}

/** Steps behind the commit point, which `rollback_timeout` does not bound. */
const BEHIND: readonly StepType[] = ["start_agent", "validate_rollback", "cleanup"];

const RESTORED_AS_ONE: readonly StepType[] = ["restore_code", "restore_config"];

/** Runs the steps of a plan and keeps what became of each; the time to the commit point begins with it. */
export class StepLog {
  readonly #plan: RollbackPlan;
  readonly #listener: StepListener | undefined;
  readonly #began = performance.now();
  readonly #results = new Map<StepType, StepResult>();
  readonly #outputs = new Map<StepType, string>();
  readonly #remarks = new Map<StepType, readonly string[]>();

  readonly #interrupted: AbortSignal | undefined;
  readonly #recoveryMs: number;
  readonly #force: string;
  /** When files and configuration began to be made ready, and what the steps had taken by then. */
  #restoring: { readonly began: number; readonly spent: number } | undefined;

  constructor(plan: RollbackPlan, listener: StepListener | undefined, limits: StepLimits = {}) {
    this.#plan = plan;
    this.#listener = listener;
    this.#interrupted = limits.interrupted;
    this.#recoveryMs = limits.recoveryMs ?? Number.POSITIVE_INFINITY;
    this.#force = limits.forced ? " --force" : "";
  }

  /** In the order in which they run; those that nobody came to are not among them. */
  get results(): StepResult[] {
    return STEP_ORDER.flatMap((type) => this.#results.get(type) ?? []);
  }

  step(type: StepType): PlanStep | undefined {
    return this.#plan.steps.find((step) => step.type === type && step.applies);
  }

  /** Throws (E124) where it is too late to go on to the commit point, or somebody does not want to. */
  requireTime(): void {
    this.#interrupted?.throwIfAborted();
    const { timeoutMs } = this.#plan;
    // A timer may fire a millisecond early: who was cut short by one has no time left.
    if (performance.now() - this.#began >= timeoutMs - 1) throw tooLate(timeoutMs);
    this.#requireRestored();
  }

  /** From here on what is not in another step is `restore_code` and `restore_config`, which are one. */
  beginRestoring(): void {
    this.#restoring = { began: performance.now(), spent: this.#spentMs };
  }

  /** The two have the sum of their times to be ready for the commit point; what is behind that has to be ended. */
  #requireRestored(): void {
    if (this.#restoring === undefined) return;
    const steps = RESTORED_AS_ONE.flatMap((type) => this.step(type) ?? []);
    const [first] = steps;
    const timeoutMs = steps.reduce((sum, step) => sum + step.timeoutMs, 0);
    const { began, spent } = this.#restoring;
    const took = performance.now() - began - (this.#spentMs - spent);
    if (first === undefined || took <= timeoutMs) return;
    const late = outOfTime({ ...first, timeoutMs });
    this.note(first.type, "failed", took, late.message);
    throw late;
  }

  get #spentMs(): number {
    return this.results.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
  }

  /**
   * Does a step, within its time; undefined where it is not in the plan, has nothing to do, or failed and is not critical. A
   * critical one's failure is thrown: E124 where the time ran out, its own or that to the commit point.
   */
  async run<T>(type: StepType, work: (step: RunningStep) => Promise<T>): Promise<T | undefined> {
    const planned = this.step(type);
    if (planned === undefined) {
      if (this.#plan.steps.some((each) => each.type === type)) this.note(type, "skipped", null);
      return undefined;
    }
    const step = this.#within(planned);
    const interrupted = BEHIND.includes(type) ? undefined : this.#interrupted;
    this.#listener?.begins(step);
    const started = performance.now();
    try {
      const result = await inTime(step, work, interrupted).finally(() => interrupted?.throwIfAborted());
      this.note(type, "done", performance.now() - started);
      return result;
    } catch (cause) {
      const short = this.#whyShort(planned, step);
      const { message } = cause as Error;
      const error = short === null ? message : `${asSentence(message)} ${short}`;
      this.note(type, "failed", performance.now() - started, error);
      if (step.critical || interrupted?.aborted) throw cause;
      return undefined;
    }
  }

  /** What begins late has only the time that is left. */
  #within(step: PlanStep): PlanStep {
    if (ASKING.includes(step.type)) {
      return { ...step, timeoutMs: Math.max(1, Math.min(step.timeoutMs, Math.ceil(this.#recoveryLeft))) };
    }
    if (BEHIND.includes(step.type)) return step;
    this.requireTime();
    const left = Math.ceil(this.#plan.timeoutMs - (performance.now() - this.#began));
    return { ...step, timeoutMs: Math.max(1, Math.min(step.timeoutMs, left)) };
  }

  /** That less time was left of `recovery_timeout` than it would have had, a sentence; null where that was not so. */
  #whyShort(planned: PlanStep, { type, timeoutMs }: PlanStep): string | null {
    if (!ASKING.includes(type) || timeoutMs >= planned.timeoutMs) return null;
    const over = this.#recoveryLeft <= 1;
    return over ? "recovery_timeout is over." : `recovery_timeout left it no more than ${seconds(timeoutMs)}.`;
  }

  get #recoveryLeft(): number {
    return this.#recoveryMs - (performance.now() - this.#began);
  }

  /** The same for a step that is a command: E126 where it failed. */
  command(type: StepType, work: (step: RunningStep) => Promise<CommandOutcome>): Promise<CommandOutcome | undefined> {
    return this.run(type, async (step) => {
      const outcome = await work(step);
      this.print(type, outcome.output);
      if (outcome.ok) return outcome;
      throw failedCommand(step, outcome, this.#force);
    });
  }

  /** Keeps what a command of a step printed, to be told when the step ends. */
  print(type: StepType, output: string): void {
    const all = `${this.#outputs.get(type) ?? ""}${output}`;
    if (all !== "") this.#outputs.set(type, all.slice(-KEPT_OUTPUT));
  }

  /** The same of a remark. */
  remark(type: StepType, remark: string): void {
    this.#remarks.set(type, [...(this.#remarks.get(type) ?? []), remark]);
  }

  note(type: StepType, status: StepResult["status"], durationMs: number | null, error: string | null = null): void {
    const result: StepResult = {
      type,
      status,
      durationMs: durationMs === null ? null : Math.round(durationMs),
      error,
      output: this.#outputs.get(type) ?? null,
      remarks: this.#remarks.get(type) ?? [],
    };
    this.#results.set(type, result);
    this.#listener?.ends(result);
  }

  /** Says of what was done that it was taken back. */
  compensate(): void {
    for (const step of this.#plan.steps) {
      const result = this.#results.get(step.type);
      if (result?.status === "done" && step.compensation !== null) {
        this.#results.set(step.type, { ...result, status: "compensated" });
      }
    }
  }

  /** The first step that failed although the policy calls it critical. */
  get failure(): StepResult | undefined {
    return this.results.find(
      ({ type, status }) => status === "failed" && this.#plan.steps.some((step) => step.type === type && step.critical),
    );
  }
}
