import { KaiError } from "../../error.js";
import { type RollbackResult, rollBack } from "../../rollback/rollback.js";
import { listVersions } from "../../version/list.js";
import { parseNumber } from "../../version/number.js";
import { readAgentHistory } from "../../version/reading.js";
import { callerOf } from "../caller.js";
import type { CommandContext } from "../context.js";
import { defineCommand, flag, optional, value } from "../define-command.js";
import { formatDuration } from "../format-time.js";
import type { Output } from "../output.js";

export const rollbackCommand = defineCommand({
  name: "rollback",
  summary: "Return to an earlier version",
  description:
    "Verifies the version, puts its files into the branch as one new signed commit, and puts it in force. The branch only moves forward and nothing is lost: the version left is marked withdrawn, and `undo` takes the rollback back.",
  arguments: { version: optional("the version to go back to") },
  options: {
    to: value("VERSION", "the same, as an option"),
    force: flag("save changes that are not committed and go on; go back to a withdrawn version"),
    dryRun: flag("print the plan and change nothing"),
  },
  examples: [{ line: "git kai-version rollback 1.0.0", does: "puts 1.0.0 in force again" }],
  async run({ version, to, force, dryRun }, context) {
    const asked = version ?? to;
    if (asked === undefined) throw await whichVersion(context);
    if (version !== undefined && to !== undefined && version !== to) {
      throw new KaiError("E122", `Two versions were given: ${version} and ${to}.`, { hint: "Name one." });
    }
    const result = await rollBack(callerOf(context), { to: parseNumber(asked), force, dryRun });
    context.output.result(result, describeRollback);
  },
});

/** Without a version: the ones there are to go back to. */
async function whichVersion(context: CommandContext): Promise<KaiError> {
  const { history } = await readAgentHistory(context.cwd, context.env);
  const all = {
    type: undefined,
    status: "active",
    since: undefined,
    until: undefined,
    match: undefined,
    sort: "version",
    ascending: false,
    limit: undefined,
    offset: 0,
  } as const;
  const others = listVersions(history, all, () => "unchecked").versions.filter(
    (each) => !each.current && each.type !== "foreign",
  );
  const list = others.slice(0, 5).map((each) => each.version);
  return new KaiError("E122", "To which version?", {
    hint:
      list.length === 0
        ? "There is no other version to go back to."
        : `\`git kai-version rollback ${list[0]}\`; there are ${list.join(", ")}.`,
    data: { versions: list },
  });
}

function describeRollback(result: RollbackResult, { style }: Output): string {
  const lines: string[] = [];
  const from = result.from === null ? "nothing" : result.from;
  if (result.operation === null) {
    lines.push(`Would roll back ${style.bold(from)} -> ${style.bold(result.to)}`);
    lines.push(`  undoing ${result.undone} ${result.undone === 1 ? "commit" : "commits"} by one new commit`);
  } else {
    lines.push(`${style.green("✓")} Rolled back ${from} -> ${style.bold(result.to)}`);
    if (result.commit === null) lines.push("  The branch holds its files already: no commit was needed.");
    else
      lines.push(
        `  commit   ${result.commit.slice(0, 10)}, undoing ${result.undone} ${result.undone === 1 ? "commit" : "commits"}`,
      );
  }
  for (const risk of result.risks) lines.push(`  ${style.yellow("risk")}     ${risk}`);
  for (const step of result.steps) {
    const mark =
      step.status === "done" ? style.green("✓") : step.status === "skipped" ? style.dim("–") : style.dim("·");
    const time =
      step.status === "done" && step.durationMs !== null ? style.dim(`  ${formatDuration(step.durationMs)}`) : "";
    lines.push(`  ${mark} ${step.type}${time}`);
  }
  if (result.backup !== null) lines.push(`  backup   ${result.backup}  (\`git checkout ${result.backup} -- PATH\`)`);
  if (result.operation !== null) {
    lines.push("", "The agent's live state was left as it is.", "`git kai-version undo` takes this back.");
  }
  return lines.join("\n");
}
