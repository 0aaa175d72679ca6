import { type PruneResult, pruneSnapshots } from "../../snapshot/prune-snapshots.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag } from "../define-command.js";
import { prunedLines, warnLeft, warnPassedOver } from "../describe-pruned.js";
import { inReach } from "../describe-snapshot.js";
import type { Output } from "../output.js";

export const snapshotPruneCommand = defineCommand({
  name: "snapshot prune",
  summary: "Take away snapshots whose time is over, and what a crash left",
  description:
    "Removes snapshots whose time (ttl, cleanup_after) is over or whose maker was killed, containers, networks and folders that belong to none any more, images of versions that lost their name to a newer one, images of commits that no snapshot is of, and files of versions that no snapshot used for cleanup_after; and it ends commands whose callers were killed. What one of them had changed and nobody saved is saved first, under refs/kai/snapshots; what can be in no version, such as a setuid file, is lost with it, and named (refused). Making a snapshot does the same for what is due, but for those that hold such a file. What was saved of a snapshot that was gone before goes where a branch or tag has the same files; with --saves all of it does.",
  options: {
    all: flag("also those that are stopped, in error, or committed"),
    saves: flag("also what was saved of snapshots that are gone, although nothing else has it"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [{ line: "git kai-version snapshot prune", does: "cleans up" }],
  async run({ all, saves, dryRun }, context) {
    const result = await pruneSnapshots(callerOf(context), { all, saves, dryRun });
    warnLeft(result, context.output);
    warnPassedOver(result, context.output);
    context.output.result({ ...result, dryRun }, describePrune);
  },
});

function describePrune(result: PruneResult & { dryRun: boolean }, output: Output): string {
  const { saves, dryRun } = result;
  const verb = dryRun ? "Would remove" : `${output.style.green("✓")} Removed`;
  const lines = [
    ...prunedLines(result, output, dryRun),
    ...saves.map((save) => `${verb} what was saved of ${save.id} (${save.version}): ${save.reason}; ${inReach(save)}`),
  ];
  if (lines.length > 0) return lines.join("\n");
  return result.left.length > 0 ? "There is nothing else to prune." : "There is nothing to prune.";
}
