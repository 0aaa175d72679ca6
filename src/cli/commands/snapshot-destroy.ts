import { destroySnapshot } from "../../snapshot/end-snapshot.js";
import { listedSnapshot } from "../../snapshot/list-snapshots.js";
import { goneSnapshot } from "../../snapshot/saves.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required } from "../define-command.js";
import { inReach } from "../describe-snapshot.js";
import { nothing } from "../output.js";

export const snapshotDestroyCommand = defineCommand({
  name: "snapshot destroy",
  summary: "End a snapshot and take it away with everything in it",
  description:
    "Kills what runs in it and removes container, files and record. What was saved (refs/kai/snapshots/ID) or committed of it stays; what was not is gone. --saves removes what was saved, too, also of a snapshot that is gone.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  options: { saves: flag("also what was saved of it") },
  examples: [
    { line: "git kai-version snapshot destroy 01K", does: "takes it away" },
    { line: "git kai-version snapshot destroy 01K --saves", does: "and what was saved of it" },
  ],
  async run({ id, saves }, context) {
    const { snapshot, save } = await destroySnapshot(callerOf(context), id, { saves });
    const destroyed = snapshot === null ? save && goneSnapshot(save) : listedSnapshot(snapshot);
    const document = { ...destroyed, removedSave: save?.commit ?? null };
    context.output.result(
      document,
      (_document, { style }) => {
        const done = style.green("✓");
        return [
          ...(snapshot ? [`${done} Destroyed ${snapshot.record.id}, a snapshot of ${snapshot.record.tag}`] : []),
          ...(save ? [`${done} Removed what was saved of ${save.id}; ${inReach(save)}`] : []),
        ].join("\n");
      },
      nothing,
    );
  },
});
