import { KaiError } from "../../error.js";
import { type RollbackResult, rollBack } from "../../rollback/rollback.js";
import { findAsked } from "../../version/find-asked.js";
import { findNumber, type VersionNumber } from "../../version/number.js";
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
    unproven: flag("go back to a version of another tool, which nothing proves"),
    dryRun: flag("print the plan and change nothing"),
  },
  examples: [{ line: "git kai-version rollback 1.0.0", does: "puts 1.0.0 in force again" }],
  async run({ version, to, force, unproven, dryRun }, context) {
    if (version !== undefined && to !== undefined && version !== to) {
      throw new KaiError("E122", `Two versions were given: ${version} and ${to}.`, { hint: "Name one." });
    }
    const roll = async (name: string) =>
      rollBack(callerOf(context), { to: await numberNamed(name, context), force, unproven, dryRun });
    const asked = version ?? to;
    if (asked === undefined) {
      const versions = await versionsToGoBackTo(context);
      const chosen = await offer(context, "To which version?", versions);
      if (chosen === undefined) throw noneNamed(versions);
      context.output.result(await roll(chosen), describeRollback);
      return;
    }
    const result = await roll(asked).catch(async (cause: unknown) => {
      // Nothing was touched yet, and on a terminal somebody can name another one.
      if (!(cause instanceof KaiError && cause.code === "E101")) throw cause;
      const chosen = await offer(context, cause.message, await versionsToGoBackTo(context));
      if (chosen === undefined) throw cause;
      return roll(chosen);
    });
    context.output.result(result, describeRollback);
  },
});

/** A number, `current`, or the whole name of a tag where tag_format is not the usual one. */
async function numberNamed(name: string, context: CommandContext): Promise<VersionNumber> {
  const number = findNumber(name.replace(/^v/, ""));
  if (number) return number;
  const { history } = await readAgentHistory(context.cwd, context.env);
  return findAsked(history, name).number;
}

/** How many versions are offered. */
const OFFERED = 9;

/** The newest versions that a rollback may go to, newest first. */
async function versionsToGoBackTo(context: CommandContext): Promise<string[]> {
  const { history } = await readAgentHistory(context.cwd, context.env);
  return history.versions
    .filter((each) => each.type !== "foreign" && !each.withdrawn && each.tagId !== history.current?.tag)
    .slice(-OFFERED)
    .reverse()
    .map((each) => each.number.text);
}

const offer = (context: CommandContext, question: string, versions: readonly string[]): Promise<string | undefined> =>
  context.interactive && versions.length > 0 ? context.choose(question, versions) : Promise.resolve(undefined);

const noneNamed = (versions: readonly string[]): KaiError =>
  new KaiError("E122", "No version was named to go back to.", {
    hint:
      versions.length === 0
        ? "There is no other version to go back to."
        : `\`git kai-version rollback ${versions[0]}\`; there are ${versions.join(", ")}.`,
    data: { versions },
  });

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
