import { KaiError } from "../error.js";
import type { CommandOutcome } from "../system/agent-process.js";
import type { PlanStep } from "./plan.js";
import type { StepType } from "./step-types.js";

/** E126 for a command of a step, with the way out; `force` is what another way to the target takes beside. */
export const failedCommand = ({ type, command }: PlanStep, outcome: CommandOutcome, force: string): KaiError =>
  new KaiError("E126", `${type} failed: ${outcome.error ?? "no reason is known"}`, {
    hint: [WAYS_OUT[type]?.(force), `It ran ${JSON.stringify(command ?? "")}.`, lastLines(outcome.output)]
      .filter((each) => each !== undefined)
      .join(" "),
  });

const withoutIt = (force: string) =>
  `Mend it, or go on without it by \`git kai-version rollback VERSION --type emergency${force}\`.`;

/** Where a command fails that goes before the commit point. */
const WAYS_OUT: Partial<Readonly<Record<StepType, (force: string) => string>>> = {
  restore_dependencies: withoutIt,
  stop_agent: () =>
    "End what runs of it and try again; `git kai-version rollback VERSION --force` goes on although it may run, and so does `--type emergency`.",
  restore_data: withoutIt,
};

const SHOWN_LINES = 3;
/** Characters of a line; the whole is in the step's output. */
const SHOWN_WIDTH = 200;

function lastLines(output: string): string {
  const lines = output
    .trimEnd()
    .split("\n")
    .slice(-SHOWN_LINES)
    .map((line) => (line.length > SHOWN_WIDTH ? `…${line.slice(-SHOWN_WIDTH)}` : line));
  return lines[0] === "" ? "It printed nothing." : `It printed last: ${lines.join(" | ")}`;
}
