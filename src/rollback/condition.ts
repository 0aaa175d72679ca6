import { KaiError } from "../error.js";

/** What a condition can speak of, and in which unit it is measured. */
export const METRICS = {
  /** 1 where the health command passes, else 0. */
  health: "number",
  /** How often it did not pass when it was asked for last. */
  health_failures: "number",
  cpu_usage: "percent",
  memory_usage: "percent",
  disk_usage: "percent",
  /** From 0 to 1. */
  rollback_success_rate: "ratio",
  /** Since the version in force came into force. */
  minutes_in_force: "number",
} as const satisfies Record<string, "number" | "percent" | "ratio">;

export type MetricName = keyof typeof METRICS;

/** Figures in their units; null: there is nothing to measure. */
export type Metrics = Readonly<Partial<Record<MetricName, number | null>>>;

type Operator = "<" | "<=" | ">" | ">=" | "==" | "!=";

interface Comparison {
  readonly metric: MetricName;
  readonly operator: Operator;
  /** In the metric's unit. */
  readonly value: number;
}

export interface Condition {
  /** As it was written, without spaces around. */
  readonly text: string;
  /** What it speaks of, each once. */
  readonly metrics: readonly MetricName[];
  /** It holds where all comparisons of one of these hold. */
  readonly anyOf: readonly (readonly Comparison[])[];
}

const FORM = 'A condition is comparisons joined by AND or OR: "health == 0 AND minutes_in_force > 5". AND binds first.';

const METRIC = /\s*(?<metric>\w+)/y;
const OPERATOR = /\s*(?<operator><=|>=|==|!=|<|>)/y;
const NUMBER = /\s*(?<number>\d{1,15}(?:\.\d{1,6})?)(?<percent>%?)(?![\w.%])/y;
const JOINT = /\s+(?<joint>AND|OR)(?=\s|$)/y;

/** Reads a condition. E122 with the place where it cannot be read, and for a metric that there is not. */
export function parseCondition(written: string): Condition {
  const text = written.trim();
  const reader = new Reader(text);
  const anyOf: Comparison[][] = [[reader.comparison()]];
  while (!reader.isAtEnd) {
    if (reader.take(JOINT, "AND or OR")["joint"] === "OR") anyOf.push([]);
    anyOf.at(-1)?.push(reader.comparison());
  }
  return { text, metrics: [...new Set(anyOf.flat().map(({ metric }) => metric))], anyOf };
}

/** Whether it holds for these figures; a comparison with what could not be measured does not. */
export const judgeCondition = ({ anyOf }: Condition, metrics: Metrics): boolean =>
  anyOf.some((all) =>
    all.every(({ metric, operator, value }) => {
      const measured = metrics[metric];
      return typeof measured === "number" && COMPARE[operator](measured, value);
    }),
  );

const COMPARE: Readonly<Record<Operator, (measured: number, value: number) => boolean>> = {
  "<": (measured, value) => measured < value,
  "<=": (measured, value) => measured <= value,
  ">": (measured, value) => measured > value,
  ">=": (measured, value) => measured >= value,
  "==": (measured, value) => measured === value,
  "!=": (measured, value) => measured !== value,
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  comparison(): Comparison {
    const start = this.#at;
    const { metric = "" } = this.take(METRIC, "a metric");
    if (!isMetric(metric)) throw this.#wrong(start, `there is no metric ${metric}`, KNOWN);
    const { operator } = this.take(OPERATOR, "one of < <= > >= == !=");
    const before = this.#at;
    const { number, percent } = this.take(NUMBER, "a number such as 5, 0.95 or 80%");
    const unit = METRICS[metric];
    if (percent === "%" && unit === "number") throw this.#wrong(before, `${metric} is no percentage`, FORM);
    const value = percent === "%" && unit === "ratio" ? Number(number) / 100 : Number(number);
    return { metric, operator: operator as Operator, value };
  }

  take(pattern: RegExp, expected: string): Record<string, string> {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match?.groups) throw this.#wrong(this.#at, `expected ${expected}`, FORM);
    this.#at = pattern.lastIndex;
    return match.groups;
  }

  /** `at`: where what is wrong begins, or the blanks before it. */
  #wrong(at: number, what: string, hint: string): KaiError {
    const rest = this.#text.slice(at).trimStart();
    const found =
      rest === "" ? "at its end" : `at character ${this.#text.length - rest.length + 1}, "${shorten(rest)}"`;
    return new KaiError("E122", `The condition cannot be read ${found}: ${what}.`, { hint });
  }
}

const isMetric = (name: string): name is MetricName => Object.hasOwn(METRICS, name);

const KNOWN = `There are ${Object.keys(METRICS).join(", ")}.`;

const shorten = (text: string): string => (text.length > 20 ? `${text.slice(0, 20)}…` : text);
