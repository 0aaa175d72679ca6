import { showSnapshot } from "../../snapshot/list-snapshots.js";
import { callerOf } from "../caller.js";
import { defineCommand, required } from "../define-command.js";
import { describeGone, describeSnapshot } from "../describe-snapshot.js";

export const snapshotShowCommand = defineCommand({
  name: "snapshot show",
  summary: "Show one snapshot: what isolates it, its limits, its state",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  examples: [{ line: "git kai-version snapshot show 01K", does: "shows it whole" }],
  async run({ id }, context) {
    context.output.result(await showSnapshot(callerOf(context), id), (shown, output) =>
      shown.status === "gone" ? describeGone(shown, output) : describeSnapshot(shown, output),
    );
  },
});
