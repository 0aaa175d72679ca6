import { KaiError } from "../error.js";
import type { CommandOutcome } from "../system/agent-process.js";
import type { PlanStep, RollbackPlan } from "./plan.js";
import { STEP_ORDER, type StepType } from "./step-types.js";

export interface StepResult {
  readonly type: StepType;
  /** `compensated`: done, and taken back because a later step failed. */
  readonly status: "planned" | "done" | "skipped" | "failed" | "compensated";
  readonly durationMs: number | null;
  readonly error: string | null;
  /** What its command printed, the last of it where it is long; null where there is none. */
  readonly output: string | null;
}

export interface StepListener {
  begins(step: PlanStep): void;
  ends(result: StepResult): void;
}

/** Runs the steps of a plan and keeps what became of each. */
export class StepLog {
  readonly #plan: RollbackPlan;
  readonly #listener: StepListener | undefined;
  readonly #results = new Map<StepType, StepResult>();
  readonly #outputs = new Map<StepType, string>();

  constructor(plan: RollbackPlan, listener: StepListener | undefined) {
    this.#plan = plan;
    this.#listener = listener;
  }

  /** In the order in which they run; those that nobody came to are not among them. */
  get results(): StepResult[] {
    return STEP_ORDER.flatMap((type) => this.#results.get(type) ?? []);
  }

  step(type: StepType): PlanStep | undefined {
    return this.#plan.steps.find((step) => step.type === type && step.applies);
  }

  /**
   * Does a step, within its time; undefined where it is not in the plan, has nothing to do, or failed and is not critical. A
   * critical one's failure is thrown: E124 where the time ran out.
   */
  async run<T>(type: StepType, work: (step: PlanStep) => Promise<T>): Promise<T | undefined> {
    const step = this.step(type);
    if (step === undefined) {
      if (this.#plan.steps.some((each) => each.type === type)) this.note(type, "skipped", null);
      return undefined;
    }
    this.#listener?.begins(step);
    const started = performance.now();
    try {
      const result = await inTime(step, work(step));
      this.note(type, "done", performance.now() - started);
      return result;
    } catch (cause) {
      this.note(type, "failed", performance.now() - started, (cause as Error).message);
      if (step.critical) throw cause;
      return undefined;
    }
  }

  /** The same for a step that is a command: E126 where it failed. */
  command(type: StepType, work: (step: PlanStep) => Promise<CommandOutcome>): Promise<CommandOutcome | undefined> {
    return this.run(type, async (step) => {
      const outcome = await work(step);
      if (outcome.output !== "") this.#outputs.set(type, outcome.output);
      if (outcome.ok) return outcome;
      throw new KaiError("E126", `${step.type} failed: ${outcome.error ?? "no reason is known"}`, {
        hint: `It ran ${JSON.stringify(step.command ?? "")}. ${lastLines(outcome.output)}`,
      });
    });
  }

  note(type: StepType, status: StepResult["status"], durationMs: number | null, error: string | null = null): void {
    const result: StepResult = {
      type,
      status,
      durationMs: durationMs === null ? null : Math.round(durationMs),
      error,
      output: this.#outputs.get(type) ?? null,
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

/** Whose time is up is no longer waited for; what it started ends with its own time-out. */
async function inTime<T>(step: PlanStep, work: Promise<T>): Promise<T> {
  // A command's own time-out ends it, and tells more; this one only catches what does not keep to it.
  const most = step.command === null ? step.timeoutMs : step.timeoutMs * 2 + 30_000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(outOfTime(step)), most);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

const outOfTime = ({ type, timeoutMs }: PlanStep): KaiError =>
  new KaiError("E124", `${type} took longer than ${Math.round(timeoutMs / 1000)} s.`, {
    hint: "Its `timeout` in rollback_system.policies bounds it.",
  });

const SHOWN_LINES = 3;

function lastLines(output: string): string {
  const lines = output.trimEnd().split("\n").slice(-SHOWN_LINES);
  return lines[0] === "" ? "It printed nothing." : `It printed last: ${lines.join(" | ")}`;
}
