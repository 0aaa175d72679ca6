import { type SavedSnapshot, saveSnapshot } from "../../snapshot/save-snapshot.js";
import { callerOf } from "../caller.js";
import { defineCommand, required } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";
import { warnOfRefused } from "../warn-of-refused.js";

export const snapshotSaveCommand = defineCommand({
  name: "snapshot save",
  summary: "Keep a snapshot's files as they are now, and let it go on",
  description:
    "Makes a commit on refs/kai/snapshots/ID that holds all files. Of an incremental snapshot it follows the save before, of any other the version, so that `git diff ID^ ID` of the commit shows what that type saves. `snapshot create --base ID` goes on from it.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  examples: [{ line: "git kai-version snapshot save 01K", does: "keeps what it has now" }],
  async run({ id }, context) {
    const saved = await saveSnapshot(callerOf(context), id);
    warnOfRefused(saved.refused, context.output);
    context.output.result(
      saved,
      (_printable, output) => describeSave(saved, output),
      ({ commit }) => commit,
    );
  },
});

function describeSave({ commit, changed, made, refused }: SavedSnapshot, { style }: Output): string {
  const first = made
    ? `${style.green("✓")} Saved as ${style.bold(commit.slice(0, 10))}: ${changed.length} ${changed.length === 1 ? "file differs" : "files differ"}`
    : `Nothing has changed since it was saved as ${style.bold(commit.slice(0, 10))}.`;
  return [
    first,
    ...refused.map(({ path, reason }) => `  ${style.yellow("refused")}  ${oneLine(path)}: ${reason}`),
  ].join("\n");
}
