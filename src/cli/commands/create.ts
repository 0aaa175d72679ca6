import { KaiError } from "../../error.js";
import { createVersion } from "../../snapshot/gate/create-version.js";
import type { CreatedVersion } from "../../version/create.js";
import type { CreateRequest } from "../../version/decide-creation.js";
import { parseNumber } from "../../version/number.js";
import { warningsOf, whileCreating } from "../creating.js";
import { choice, defineCommand, flag, list, parsed, value } from "../define-command.js";
import { formatDuration } from "../format-time.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";

export const createCommand = defineCommand({
  name: "create",
  summary: "Make a signed version of what is committed",
  description:
    "Makes a semantic version of the branch's commit: a signed tag, a record, a capture of the runtime state and an entry of the log, all of them or none. An agent that writes several files of its state meanwhile is stopped for a moment, where kai.yaml says how (lifecycle.stop and lifecycle.start), so that they fit together. Without --type, --bump or --as the number follows from what changed. With snapshot_isolation.require_snapshot_test in kai.yaml it makes only what has passed its tests: see `snapshot test HEAD`.",
  options: {
    type: choice(["auto", "manual", "release"], "auto bumps patch at least, manual minor, release major"),
    bump: choice(["major", "minor", "patch"], "bump this part of the number"),
    as: parsed("X.Y.Z", "take exactly this number", parseNumber),
    message: value("TEXT", "what this version is for", { short: "m" }),
    tag: list("LABEL", "a label of the version; may be given again"),
    includeChanges: flag("commit everything that is not ignored first"),
    allowUnchanged: flag("make a version although nothing changed"),
    noCurrent: flag("leave the version in force as it is"),
    trustCommands: flag(
      "stop and start the agent by the commands of kai.yaml although nobody has confirmed this clone's trust root",
    ),
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
    const request: CreateRequest = {
      type: input.type,
      bump: input.bump,
      exact: input.as,
      description: input.message,
      tags: input.tag,
      includeChanges: input.includeChanges,
      allowUnchanged: input.allowUnchanged,
      moveCurrent: !input.noCurrent,
      trustCommands: input.trustCommands,
      dryRun: input.dryRun,
    };
    const created = await whileCreating(context, (caller) => createVersion(caller, request));
    for (const warning of warningsOf(created.state)) context.output.warn(warning);
    if (created.untracked.length > 0) {
      context.output.note(
        `${created.untracked.length} untracked ${created.untracked.length === 1 ? "path is" : "paths are"} in no version: ${created.untracked.slice(0, 5).map(oneLine).join(", ")}`,
      );
    }
    context.output.result({ ...created, dryRun: input.dryRun }, describeCreated, input.dryRun ? undefined : versionOf);
  },
});

const versionOf = ({ version }: CreatedVersion): string => version;

const askedFor = (required: CreatedVersion["required"]): string => (required === "none" ? "" : `, ${required} changes`);

function describeCreated(created: CreatedVersion & { dryRun: boolean }, { style }: Output): string {
  const from = created.parent === null ? "the first version" : `after ${created.parent}${askedFor(created.required)}`;
  if (created.dryRun) {
    const state =
      created.state.files.length === 0 ? [] : [`  with the state ${created.state.files.map(oneLine).join(", ")}`];
    if (created.state.mayStop) state.push("  for which the agent may be stopped for a moment, if it writes meanwhile");
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
  if (created.state.stopped)
    row(
      "agent",
      `stood still for ${formatDuration(created.state.stopped.durationMs)}, so that its state fits together`,
    );
  if (created.state.forgotten.length > 0) row("forgot", `the state of ${created.state.forgotten.join(", ")}`);
  row("current", created.current ? `${created.tag} is in force` : "unchanged");
  return lines.join("\n");
}
