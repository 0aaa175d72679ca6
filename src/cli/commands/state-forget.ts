import { formatBytes } from "../../agent/format-bytes.js";
import { type ForgottenState, forgetState } from "../../version/manage-state.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, rest } from "../define-command.js";
import { nothing, type Output } from "../output.js";

export const stateForgetCommand = defineCommand({
  name: "state forget",
  summary: "Give up the state captured with a version",
  description:
    "Removes the capture's ref, and large files that no other capture names; the log says who did it, and `verify` holds it against nothing. The version stays, and can no longer bring its state back. git itself removes small files with its next gc; other clones and remotes keep what they have.",
  arguments: { version: required("the version"), others: rest("further versions") },
  options: { dryRun: flag("say what would go and change nothing") },
  examples: [{ line: "git kai-version state forget 1.0.0", does: "gives up what the agent knew at 1.0.0" }],
  async run({ version, others, dryRun }, context) {
    const forgotten = await forgetState(callerOf(context), { versions: [version, ...others], dryRun });
    context.output.result({ ...forgotten, dryRun }, describeForgotten, dryRun ? undefined : nothing);
  },
});

function describeForgotten(
  { forgotten, files, bytes, freed, dryRun }: ForgottenState & { dryRun: boolean },
  { style }: Output,
): string {
  const what = `the state of ${forgotten.join(", ")} (${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)})`;
  if (dryRun) return `Would forget ${what} and free ${formatBytes(freed)} at once.`;
  const lines = [`${style.green("✓")} Forgotten: ${what}`];
  if (freed > 0) lines.push(`  ${formatBytes(freed)} freed`);
  lines.push(style.dim("  git removes the rest when it collects garbage; at once: git gc --prune=now"));
  return lines.join("\n");
}
