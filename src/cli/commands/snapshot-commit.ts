import { type CommittedSnapshot, commitSnapshot } from "../../snapshot/commit/commit-snapshot.js";
import { warningsOf, whileCreating } from "../creating.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";
import { warnOfRefused } from "../warn-of-refused.js";

export const snapshotCommitCommand = defineCommand({
  name: "snapshot commit",
  summary: "Make what a snapshot changed a signed commit",
  description:
    "Puts it on a branch of its own to be reviewed, kai/snapshot/ID; with --apply on top of the branch that is checked out, path by path, and refused where both changed one; with --version there, too, and at once as a version, made as `create` makes one: all of it or nothing. Only regular files, links that stay inside and deletions are taken, and of what was added nothing that the version's own .gitignore files ignore. What later runs on a host (a command of kai.yaml, a script that one names, what git or a forge acts on) takes --allow-executable. The version's own kai.yaml decides, not what the sandbox made of it.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  options: {
    apply: flag("onto the branch that is checked out"),
    version: flag("onto that branch, and a version of it"),
    allowExecutable: flag("take changes of what later runs on a host, too"),
    includeIgnored: flag("take what the version's .gitignore files ignore, too"),
    message: value("TEXT", "the commit's message, and what the version is for", { short: "m" }),
    dryRun: flag("say what would be committed and change nothing"),
  },
  examples: [
    { line: "git kai-version snapshot commit 01K", does: "makes a branch to review" },
    { line: "git kai-version snapshot commit 01K --apply -m 'fix: answer in French'", does: "takes it over" },
    { line: "git kai-version snapshot commit 01K --version", does: "takes it over as the next version" },
  ],
  async run({ id, apply, version, allowExecutable, includeIgnored, message, dryRun }, context) {
    const into = version ? "version" : apply ? "apply" : "branch";
    const request = { snapshot: id, into, message, allowExecutable, includeIgnored, dryRun } as const;
    const { created, ...done } = await whileCreating(context, (caller) => commitSnapshot(caller, request));
    for (const warning of created ? warningsOf(created.state) : []) context.output.warn(warning);
    const made = created && { version: created.version, tag: created.tag, current: created.current };
    const told = { ...done, created: made, dryRun };
    if (!dryRun) warnOfRefused(told.refused, context.output);
    context.output.result(told, (_printable, output) => describeCommit(told, output), dryRun ? undefined : commitOf);
  },
});

interface Told extends Omit<CommittedSnapshot, "created"> {
  readonly created: { readonly tag: string; readonly current: boolean } | null;
  readonly dryRun: boolean;
}

const commitOf = ({ commit }: Told): string => commit ?? "";

function describeCommit(done: Told, { style }: Output): string {
  const { commit, changed, executable, refused, ignored, created, dryRun } = done;
  const counted = (count: number) => `${count} ${count === 1 ? "file" : "files"}`;
  const branch = oneLine(done.branch);
  const files = counted(changed.length);
  return [
    dryRun ? `Would commit ${files} to ${branch}` : `${style.green("✓")} Committed ${files} to ${style.bold(branch)}`,
    ...(commit === null ? [] : [`  commit   ${commit.slice(0, 10)}`]),
    ...(created ? [`  version  ${style.bold(created.tag)}${created.current ? ", in force" : ""}`] : []),
    ...changed.slice(0, 20).map(({ path, change }) => `  ${change.padEnd(8)} ${oneLine(path)}`),
    ...(changed.length > 20 ? [`  … and ${changed.length - 20} more`] : []),
    ...executable.map(({ path, reason }) => `  ${style.yellow("runs")}     ${oneLine(path)}: ${reason}`),
    ...refused.map(({ path, reason }) => `  ${style.yellow("refused")}  ${oneLine(path)}: ${reason}`),
    ...(ignored.length === 0
      ? []
      : [`  ${style.dim("ignored")}  ${counted(ignored.length)} (--include-ignored takes them)`]),
    ...(dryRun || branch !== `kai/snapshot/${done.snapshot}`
      ? []
      : ["", `\`git diff HEAD...${branch}\` shows it, \`git merge ${branch}\` takes it over.`]),
  ].join("\n");
}
