import { showSnapshot } from "../../snapshot/list-snapshots.js";
import { callerOf } from "../caller.js";
import { defineCommand, required } from "../define-command.js";
import { describeRun } from "../describe-run.js";
import { describeGone, describeSnapshot } from "../describe-snapshot.js";

export const snapshotShowCommand = defineCommand({
  name: "snapshot show",
  summary: "Show one snapshot, or one run: what isolates it, its limits, what became of it",
  description:
    "Of a run (`snapshot runs` lists them) it shows what ran, how it ended, what it took, asked of the network and changed, what it stood on, and who signed that.",
  arguments: { id: required("the snapshot's id, or a run's, or how it begins or ends") },
  examples: [{ line: "git kai-version snapshot show 01K", does: "shows it whole" }],
  async run({ id }, context) {
    context.output.result(await showSnapshot(callerOf(context), id), (shown, output) => {
      if (shown.status === "gone") return describeGone(shown, output);
      return shown.status === "ended" ? describeRun(shown, output) : describeSnapshot(shown, output);
    });
  },
});
