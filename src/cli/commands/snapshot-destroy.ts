import { destroySnapshot } from "../../snapshot/end-snapshot.js";
import { listedSnapshot } from "../../snapshot/list-snapshots.js";
import { callerOf } from "../caller.js";
import { defineCommand, required } from "../define-command.js";

export const snapshotDestroyCommand = defineCommand({
  name: "snapshot destroy",
  summary: "End a snapshot and take it away with everything in it",
  description:
    "Kills what runs in it and removes container, files and record. What was saved (refs/kai/snapshots/ID) or committed of it stays; what was not is gone.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  examples: [{ line: "git kai-version snapshot destroy 01K", does: "takes it away" }],
  async run({ id }, context) {
    const destroyed = listedSnapshot(await destroySnapshot(callerOf(context), id));
    context.output.result(
      destroyed,
      ({ id: gone, tag }, { style }) => `${style.green("✓")} Destroyed ${gone}, a snapshot of ${tag}`,
    );
  },
});
