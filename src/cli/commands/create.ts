import { KaiError } from "../../error.js";
import { type CreatedVersion, createVersion } from "../../version/create.js";
import { parseNumber } from "../../version/number.js";
import { callerOf } from "../caller.js";
import { choice, defineCommand, flag, list, parsed, value } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";

export const createCommand = defineCommand({
  name: "create",
  summary: "Make a signed version of what is committed",
  description:
    "Makes a semantic version of the branch's commit: a signed tag, a record, a capture of the runtime state and an entry of the log, all of them or none. Without --type, --bump or --as the number follows from what changed.",
  options: {
    type: choice(["auto", "manual", "release"], "auto bumps patch at least, manual minor, release major"),
    bump: choice(["major", "minor", "patch"], "bump this part of the number"),
    as: parsed("X.Y.Z", "take exactly this number", parseNumber),
    message: value("TEXT", "what this version is for", { short: "m" }),
    tag: list("LABEL", "a label of the version; may be given again"),
    includeChanges: flag("commit everything that is not ignored first"),
    allowUnchanged: flag("make a version although nothing changed"),
    noCurrent: flag("leave the version in force as it is"),
    dryRun: flag("say what would be made and change nothing"),
  },
  examples: [
    { line: 'git kai-version create -m "answers in French"', does: "the number follows from the commits" },
    { line: "git kai-version create --as 2.0.0-rc.1", does: "a pre-release, which does not come into force" },
  ],
  async run(input, context) {
    if (input.as !== undefined && input.bump !== undefined) {
      throw new KaiError("E122", "--as names the number already, so --bump cannot go with it.");
    }
    const created = await createVersion(callerOf(context), {
      type: input.type,
      bump: input.bump,
      exact: input.as,
      description: input.message,
      tags: input.tag,
      includeChanges: input.includeChanges,
      allowUnchanged: input.allowUnchanged,
      moveCurrent: !input.noCurrent,
      dryRun: input.dryRun,
    });
    if (created.state.tracked.length > 0) context.output.warn(isTracked(created.state.tracked));
    for (const path of created.state.skipped)
      context.output.warn(`${oneLine(path)} is no regular file and was not captured.`);
    if (created.state.consistent === false) {
      context.output.warn(writtenMeanwhile(created.state.files));
    }
    if (created.untracked.length > 0) {
      context.output.note(
        `${created.untracked.length} untracked ${created.untracked.length === 1 ? "path is" : "paths are"} in no version: ${created.untracked.slice(0, 5).map(oneLine).join(", ")}`,
      );
    }
    context.output.result({ ...created, dryRun: input.dryRun }, describeCreated);
  },
});

function writtenMeanwhile(files: readonly string[]): string {
  const shown = files.slice(0, 5).map(oneLine);
  if (files.length > shown.length) shown.push(`${files.length - shown.length} more`);
  const last = shown.pop() ?? "";
  return shown.length === 0
    ? `${last} was written while it was captured.`
    : `${shown.join(", ")} and ${last} were captured one after the other, and some were written meanwhile: they may be of different moments.`;
}

const isTracked = (files: readonly string[]): string =>
  `${files.slice(0, 5).map(oneLine).join(", ")}: state by kai.yaml, but git tracks it, so it was not captured and no rollback puts it back. \`git rm --cached ${oneLine(files[0] ?? "")}\` and a line in .gitignore make it state.`;

const askedFor = (required: CreatedVersion["required"]): string => (required === "none" ? "" : `, ${required} changes`);

function describeCreated(created: CreatedVersion & { dryRun: boolean }, { style }: Output): string {
  const from = created.parent === null ? "the first version" : `after ${created.parent}${askedFor(created.required)}`;
  if (created.dryRun) {
    const state =
      created.state.files.length === 0 ? [] : [`  with the state ${created.state.files.map(oneLine).join(", ")}`];
    return [
      `Would create ${style.bold(created.tag)} (${created.type}, ${from})`,
      `  of ${created.commit === null ? "a new commit of your changes" : `commit ${created.commit.slice(0, 10)}`}`,
      ...state,
      created.current ? "  and put it in force." : "  and leave the version in force as it is.",
    ].join("\n");
  }
  const lines = [`${style.green("✓")} Created ${style.bold(created.tag)} (${created.type}, ${from})`];
  const row = (name: string, text: string) => lines.push(`  ${name.padEnd(9)}${text}`);
  row("commit", created.commit ?? "");
  row("hash", created.hash ?? "");
  row("key", created.record?.createdBy.key ?? "");
  if (created.state.files.length > 0) row("state", created.state.files.map(oneLine).join(", "));
  if (created.state.forgotten.length > 0) row("forgotten", `the state of ${created.state.forgotten.join(", ")}`);
  row("current", created.current ? `${created.tag} is in force` : "unchanged");
  return lines.join("\n");
}
