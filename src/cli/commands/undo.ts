import { KaiError } from "../../error.js";
import { type UndoResult, undo } from "../../rollback/undo.js";
import { describeStanding } from "../../version/standing.js";
import { defineCommand, flag, optional } from "../define-command.js";
import { describeBackup, describeIllness, describeReplaced, describeStep, switched } from "../describe-rollback.js";
import { loggedOperations } from "../logged-operations.js";
import type { Output } from "../output.js";
import { interruptibly } from "../rollback-caller.js";
import { wellAfter } from "../started-agent.js";
import { oneLine } from "../style.js";
import { formatLabelled } from "../table.js";
import { warnOfOthers } from "../warn-of-others.js";

export const undoCommand = defineCommand({
  name: "undo",
  summary: "Take an operation back by a new one",
  description:
    "Puts in force what was in force before the operation, and files and state as they were; the agent is stopped and started as by a rollback. What was created stays and is withdrawn: a number is never used twice. Undo the undo to have it again.",
  arguments: { operation: optional("its id, or the beginning of it; default: the newest") },
  options: {
    trustCommands: flag("run the commands of kai.yaml although nobody has confirmed this clone's trust root"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [{ line: "git kai-version undo", does: "takes the newest operation back" }],
  async run({ operation, trustCommands, dryRun }, context) {
    const undone = await interruptibly(context, (caller) => undo(caller, { operation, trustCommands, dryRun }));
    const logged =
      undone.operation === null
        ? undefined
        : (await loggedOperations([undone.operation], context)).get(undone.operation);
    if (!undone.ok) throw notWell(undone);
    if (undone.deployment) {
      warnOfOthers(undone.deployment, context.output);
      warnOfEnded(undone.deployment, context.output);
    }
    context.output.result({ ...logged, ...undone }, describeUndo);
  },
});

function warnOfEnded({ endedIn }: NonNullable<UndoResult["deployment"]>, output: Output): void {
  if (endedIn === null || endedIn.startsAgain) return;
  const folder = oneLine(endedIn.folder);
  output.warn(
    `The agent that ran in ${folder} was ended by that deployment, and is not started again from here: start it there.`,
  );
}

function notWell(result: UndoResult): KaiError {
  const why = result.steps.find(({ status }) => status === "failed")?.error ?? "the agent is not well";
  return new KaiError("E127", `${result.undone.subject} is undone, but ${why}.`, {
    hint: "`git kai-version log` tells the story; `git kai-version rollback --suggest` ranks other versions.",
    data: { undo: result },
  });
}

function describeUndo(result: UndoResult, output: Output): string {
  const { style } = output;
  const lines = [
    result.operation === null
      ? `Would undo: ${style.bold(result.undone.subject)}`
      : `${style.green("✓")} Undone: ${style.bold(result.undone.subject)}`,
  ];
  const leads = (from: string | null, to: string | null) => `${from ?? "nothing"} -> ${style.bold(to ?? "nothing")}`;
  const { deployment, keeping, promotion, plan } = result;
  if (deployment === null && keeping === null && promotion === null)
    lines.push(`  in force   ${leads(result.from, result.to)}`);
  if (deployment !== null) lines.push(`  deployed   ${leads(deployment.previous, deployment.version)}`);
  if (deployment?.started) lines.push(`  agent      started again, ${wellAfter(deployment.started)}`);
  else if (result.operation === null && deployment?.endedIn?.startsAgain)
    lines.push(`  agent      that of ${oneLine(deployment.endedIn.folder)} would be started again`);
  if (plan?.deployment) lines.push(`  deployed   ${switched(plan.deployment)}`);
  if (keeping !== null)
    lines.push(
      `  state      ${keeping.tags.join(", ")} ${keeping.action === "keep" ? "kept again" : "kept no longer"}`,
    );
  if (promotion !== null)
    lines.push(
      `  standing   ${promotion.tag} ${promotion.standing ? describeStanding(promotion.standing) : "has none, as before"}`,
    );
  if (result.commit !== null) lines.push(`  commit     ${result.commit.slice(0, 10)}`);
  if (result.withdrawn.length > 0) lines.push(`  withdrawn  ${result.withdrawn.join(", ")}`);
  if (result.restored.length > 0) lines.push(`  back       ${result.restored.join(", ")}`);
  const taken = result.steps.filter(({ status }) => status !== "skipped");
  lines.push(...taken.map((step) => describeStep(step, output)));
  for (const { severity, message } of plan?.risks ?? [])
    if (severity === "high") lines.push(formatLabelled(`  ${style.red("risk")}     `, message, output.columns));
  if (result.backup !== null) lines.push(describeBackup(result.backup));
  if (result.stateBackup !== null) lines.push(`  state of before  ${result.stateBackup}`);
  return [...lines, ...describeReplaced(result.replaced), ...describeIllness(result.steps, output)].join("\n");
}
