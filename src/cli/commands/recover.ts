import { KaiError } from "../../error.js";
import type { Recovered } from "../../operation/recover.js";
import { type JudgedOperation, judgeInterrupted } from "../../rollback/judge-interrupted.js";
import type { RecoveredSnapshots } from "../../snapshot/recover-snapshots.js";
import type { Rebuilt } from "../../version/rebuild-projection.js";
import { recoverAgent } from "../../version/writing-session.js";
import { callerOf, keptThen, tellConfigBroken, tellRecovered } from "../caller.js";
import { defineCommand, flag } from "../define-command.js";
import { prunedLines, warnLeft, warnPassedOver } from "../describe-pruned.js";
import { describeIllness, describeStep } from "../describe-rollback.js";
import { loggedOperations } from "../logged-operations.js";
import type { Output } from "../output.js";
import { rebuiltLines } from "../rebuilt-lines.js";
import { rollbackCallerOf } from "../rollback-caller.js";

export const recoverCommand = defineCommand({
  name: "recover",
  summary: "Bring interrupted operations to their end",
  description:
    "Looks for operations that were interrupted: what had happened is put in place whole, what had not is taken away. Every writing command does the same before anything else. A rollback or an undo that was killed before its agent had been asked how it is, is asked now, its outcome logged; where it is ill, the rollback goes on by its fallback strategies. It verifies the log, and makes records and versions' tags that are missing again from it. The copy and the container of a rehearsal that was killed are removed, and so are snapshots that somebody was killed in the middle of, with what was changed in them saved first, and what can be in no version named; commands in snapshots whose callers were killed are ended. Running it twice changes nothing.",
  options: {
    trustCommands: flag("run the commands of kai.yaml although nobody has confirmed this clone's trust root"),
  },
  async run({ trustCommands }, context) {
    let recovered: readonly Recovered[] = [];
    const rebuilt = await recoverAgent({
      ...callerOf(context, tellConfigBroken),
      onRecovered: (found) => {
        recovered = found;
      },
    });
    const judged = await judgeInterrupted(rollbackCallerOf(context), { trustCommands, recovered }).catch((cause) => {
      // What was found is told with the error, and what was recovered before it.
      tellRecovered(recovered, context);
      throw cause;
    });
    const happened = recovered.filter(({ outcome }) => outcome === "completed");
    const logged = await loggedOperations(
      happened.map(({ operation }) => operation),
      context,
    );
    const told = recovered.map((each) => ({ ...logged.get(each.operation), ...each }));
    // What containers take is loaded by what needs one.
    const { sweepRehearsals } = await import("../../rollback/sweep-rehearsals.js");
    const rehearsals = await sweepRehearsals(context).catch((cause: unknown) => {
      // Whatever was interrupted is whole by now; `snapshot prune` says what is in the way of the rest.
      if (cause instanceof KaiError) return [];
      throw cause;
    });
    const { recoverSnapshots } = await import("../../snapshot/recover-snapshots.js");
    const snapshots = await recoverSnapshots(callerOf(context)).catch((cause: unknown) => {
      if (!(cause instanceof KaiError)) throw cause;
      // What else was interrupted is whole by now, and is told.
      context.output.warn(`Snapshots were not looked through: ${cause.message} ${cause.hint ?? ""}`.trimEnd());
      return NO_SNAPSHOTS;
    });
    warnLeft(snapshots, context.output);
    warnPassedOver(snapshots, context.output);
    context.output.result({ recovered: told, judged, rebuilt, rehearsals, snapshots }, describeRecovered);
  },
});

const NO_SNAPSHOTS: RecoveredSnapshots = {
  pruned: [],
  left: [],
  ended: [],
  resumed: [],
  committed: [],
  orphans: [],
  passedOver: null,
};

interface WhatWasDone {
  readonly recovered: readonly Recovered[];
  readonly judged: JudgedOperation | null;
  readonly rebuilt: Rebuilt;
  readonly rehearsals: readonly string[];
  readonly snapshots: RecoveredSnapshots;
}

function describeRecovered({ recovered, judged, rebuilt, rehearsals, snapshots }: WhatWasDone, output: Output): string {
  const { style } = output;
  const lines = recovered.flatMap(({ kind, operation, outcome, agent, ended, replaced }) => [
    `${style.green("✓")} ${kind} ${operation}: ${outcome === "completed" ? "had happened, and is whole now" : "had not happened, and nothing of it is left"}`,
    ...replaced.map((each) => `  ${style.yellow("!")} ${keptThen(each)}`),
    ...(agent === null ? [] : [startedAgain(agent, style)]),
    ...(ended === null ? [] : [endedThen(ended, style)]),
  ]);
  if (judged !== null) lines.push(...describeJudged(judged, output));
  for (const name of rehearsals) lines.push(`${style.green("✓")} ${name}: what somebody was killed over is removed`);
  lines.push(...prunedLines(snapshots, output));
  for (const id of snapshots.committed)
    lines.push(`${style.green("✓")} ${id} is committed: whoever did that was killed before it was noted`);
  if (lines.length === 0) lines.push("Nothing was interrupted.");
  return [...lines, ...rebuiltLines(rebuilt).map((line) => `${style.green("✓")} ${line}`)].join("\n");
}

/** That it is well, or not, or why nobody knows. */
function describeJudged({ kind, operation, version, well, steps, problem }: JudgedOperation, output: Output): string[] {
  const { style } = output;
  const what = `${kind} ${operation}: ${version}`;
  const lines = [
    well === null
      ? `${style.yellow("!")} ${what} was not asked whether it is well`
      : well
        ? `${style.green("✓")} ${what} is well`
        : `${style.yellow("!")} ${what} stays in force`,
    ...steps.filter(({ status }) => status !== "skipped").map((step) => describeStep(step, output)),
  ];
  lines.push(...describeIllness(steps, output));
  return problem === null ? lines : [...lines, `  ${problem}`];
}

function startedAgain({ ok, error, runsOn, again }: NonNullable<Recovered["agent"]>, style: Output["style"]): string {
  if (runsOn) return `  ${style.yellow("!")} ${runsOn}`;
  const more = again ? ", started once more: it had been stopped with the one beside it" : "";
  return ok
    ? `  ${style.green("✓")} the agent runs${more}`
    : `  ${style.red("✗")} the agent could not be started: ${error}`;
}

const endedThen = ({ ok, error }: NonNullable<Recovered["ended"]>, style: Output["style"]): string =>
  ok
    ? `  ${style.green("✓")} the agent beside it was ended`
    : `  ${style.red("✗")} the agent beside it was not ended: ${error}`;
