import type { Execution } from "../execution.js";
import { type Expectations, judgeExpectations, type Observed } from "./expectations.js";

/** What came of a command, judged by what was expected of it. */
export type JudgedExecution = Pick<Execution, keyof Observed | "stderr" | "outputDropped" | "passed" | "failures">;

/** `whole`: all of stdout, where the output that is told was cut. */
export function judgeExecution(
  ended: Omit<Observed, "stdout">,
  output: { readonly stdout: Buffer; readonly stderr: Buffer; readonly dropped: number },
  expect: Expectations,
  whole?: string | undefined,
): JudgedExecution {
  const observed = { ...ended, stdout: output.stdout.toString() };
  const failures = judgeExpectations({ ...observed, stdout: whole ?? observed.stdout }, expect);
  return {
    ...observed,
    stderr: output.stderr.toString(),
    outputDropped: output.dropped,
    passed: failures.length === 0,
    failures,
  };
}
