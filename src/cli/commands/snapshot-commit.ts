import { type CommittedSnapshot, commitSnapshot } from "../../snapshot/commit/commit-snapshot.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";

export const snapshotCommitCommand = defineCommand({
  name: "snapshot commit",
  summary: "Make what a snapshot changed a signed commit",
  description:
    "Puts it on a branch of its own to be reviewed, kai/snapshot/ID; with --apply on top of the branch that is checked out, path by path, and refused where both changed one. Only regular files, links that stay inside and deletions are taken. What later runs on a host (a command of kai.yaml, a script that one names, what git or a forge acts on) takes --allow-executable. The version's own kai.yaml decides, not what the sandbox made of it.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  options: {
    apply: flag("onto the branch that is checked out"),
    allowExecutable: flag("take changes of what later runs on a host, too"),
    message: value("TEXT", "the commit's message", { short: "m" }),
    dryRun: flag("say what would be committed and change nothing"),
  },
  examples: [
    { line: "git kai-version snapshot commit 01K", does: "makes a branch to review" },
    { line: "git kai-version snapshot commit 01K --apply -m 'fix: answer in French'", does: "takes it over" },
  ],
  async run({ id, apply, allowExecutable, message, dryRun }, context) {
    const request = { snapshot: id, into: apply ? "apply" : "branch", message, allowExecutable, dryRun } as const;
    context.output.result({ ...(await commitSnapshot(callerOf(context), request)), dryRun }, describeCommit);
  },
});

function describeCommit(done: CommittedSnapshot & { dryRun: boolean }, { style }: Output): string {
  const { commit, branch, changed, executable, refused, dryRun } = done;
  const files = `${changed.length} ${changed.length === 1 ? "file" : "files"}`;
  return [
    dryRun ? `Would commit ${files} to ${branch}` : `${style.green("✓")} Committed ${files} to ${style.bold(branch)}`,
    ...(commit === null ? [] : [`  commit   ${commit.slice(0, 10)}`]),
    ...changed.slice(0, 20).map(({ path, change }) => `  ${change.padEnd(8)} ${oneLine(path)}`),
    ...(changed.length > 20 ? [`  … and ${changed.length - 20} more`] : []),
    ...executable.map(({ path, reason }) => `  ${style.yellow("runs")}     ${oneLine(path)}: ${reason}`),
    ...refused.map(({ path, reason }) => `  ${style.yellow("refused")}  ${oneLine(path)}: ${reason}`),
  ].join("\n");
}
