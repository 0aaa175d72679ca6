import { runTriggers, type TriggerRun } from "../../trigger/run-triggers.js";
import { warningsOf, whileCreating } from "../creating.js";
import { defineCommand, flag } from "../define-command.js";
import { savedOf } from "../describe-pruned.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { formatTable } from "../table.js";

export const triggerRunCommand = defineCommand({
  name: "trigger run",
  summary: "Make the automatic version that is due, if one is",
  description:
    "Looks at the occasions of kai.yaml (lifecycle.trigger.on), which count once a version that names them is in force. dependency: lock files that are committed settle on other packages than those of the version in force, or another agent that this one depends on has come to another version. schedule: a time of lifecycle.trigger.schedule, by the clock of this machine's time zone, has come since the newest version was made, and something is committed that no version has. Where one has come an automatic version is made as by `create --type auto`; where none has nothing is made, and the exit status is 0 as well. Snapshots whose time is over are taken away, as by `snapshot prune`, but for those that hold what cannot be saved. There is no daemon: let a timer call it.",
  options: {
    trustCommands: flag(
      "stop and start the agent by the commands of kai.yaml although nobody has confirmed this clone's trust root",
    ),
    dryRun: flag("say what would be made and change nothing"),
  },
  examples: [
    { line: "git kai-version trigger run", does: "makes a version, or says when the next is due" },
    { line: "git kai-version trigger run --json", does: "the same for a timer or a pipeline" },
  ],
  async run(input, context) {
    const { created, ran, next, pruned } = await whileCreating(context, (caller) => runTriggers(caller, input));
    for (const warning of created ? warningsOf(created.state) : []) context.output.warn(warning);
    const { dryRun } = input;
    context.output.result({ ran, next, pruned, dryRun }, describeRun);
  },
});

type ToldRun = Omit<TriggerRun, "created"> & { readonly dryRun: boolean };

function describeRun({ ran, next, pruned, dryRun }: ToldRun, { style, columns, quiet }: Output): string {
  const lines = pruned.map(
    (each) =>
      `${dryRun ? "Would remove" : "Removed"} the snapshot ${each.id} of ${each.version}: ${each.reason}${savedOf(each)}`,
  );
  if (ran.length === 0 && !quiet) {
    lines.push("kai.yaml names no occasion to look at: `lifecycle.trigger.on` may hold dependency and schedule.");
    return lines.join("\n");
  }
  const version = ran.find((each) => each.version !== null)?.version;
  if (version === undefined) lines.push(...(quiet ? [] : ["Nothing is due."]));
  else if (dryRun) lines.push(`Would create ${style.bold(version ?? "")}.`);
  else lines.push(`${style.green("✓")} Created ${style.bold(version ?? "")}`);
  if (quiet) return lines.join("\n");
  const rows = ran.map((each) => [each.trigger, each.version === null ? "no" : "yes", each.why]);
  lines.push(formatTable([{ title: "TRIGGER" }, { title: "DUE" }, { title: "WHY", shrink: "wrap" }], rows, columns));
  if (next !== null) lines.push(`The schedule comes next at ${formatTime(next)}.`);
  return lines.join("\n");
}
