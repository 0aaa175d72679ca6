import type { Execution } from "../execution.js";
import { type Expectations, judgeExpectations, type Observed } from "./expectations.js";

/** What came of a command, judged by what was expected of it. */
export type JudgedExecution = Pick<Execution, keyof Observed | "stderr" | "outputDropped" | "passed" | "failures">;

export function judgeExecution(
  ended: Omit<Observed, "stdout">,
  output: { readonly stdout: Buffer; readonly stderr: Buffer; readonly dropped: number },
  expect: Expectations,
): JudgedExecution {
  const observed = { ...ended, stdout: output.stdout.toString() };
  const failures = judgeExpectations(observed, expect);
  return {
    ...observed,
    stderr: output.stderr.toString(),
    outputDropped: output.dropped,
    passed: failures.length === 0,
    failures,
  };
}
