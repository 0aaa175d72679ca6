import { type UndoResult, undo } from "../../rollback/undo.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, optional } from "../define-command.js";
import { loggedOperations } from "../logged-operations.js";
import type { Output } from "../output.js";

export const undoCommand = defineCommand({
  name: "undo",
  summary: "Take an operation back by a new one",
  description:
    "Puts in force what was in force before the operation, and the files as they were. What was created stays and is withdrawn: a number is never used twice. Undo the undo to have it again.",
  arguments: { operation: optional("its id, or the beginning of it; default: the newest") },
  options: { dryRun: flag("say what would be done and change nothing") },
  examples: [{ line: "git kai-version undo", does: "takes the newest operation back" }],
  async run({ operation, dryRun }, context) {
    const undone = await undo(callerOf(context), { operation, dryRun });
    const logged =
      undone.operation === null
        ? undefined
        : (await loggedOperations([undone.operation], context)).get(undone.operation);
    context.output.result({ ...logged, ...undone }, describeUndo);
  },
});

function describeUndo(result: UndoResult, { style }: Output): string {
  const lines = [
    result.operation === null
      ? `Would undo: ${style.bold(result.undone.subject)}`
      : `${style.green("✓")} Undone: ${style.bold(result.undone.subject)}`,
    `  in force   ${result.from ?? "nothing"} -> ${style.bold(result.to ?? "nothing")}`,
  ];
  if (result.commit !== null) lines.push(`  commit     ${result.commit.slice(0, 10)}`);
  if (result.withdrawn.length > 0) lines.push(`  withdrawn  ${result.withdrawn.join(", ")}`);
  if (result.restored.length > 0) lines.push(`  back       ${result.restored.join(", ")}`);
  return lines.join("\n");
}
