import { diffSnapshot, type SnapshotDiff } from "../../snapshot/diff-snapshot.js";
import { callerOf } from "../caller.js";
import { defineCommand, required } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";

export const snapshotDiffCommand = defineCommand({
  name: "snapshot diff",
  summary: "Show what differs in a snapshot from the files that it began with",
  description:
    "Looks at the files themselves, with the snapshot held still; nothing of what is there is trusted, followed or run. `refused` is what can be in no version, and why; what the version's own .gitignore files ignore is marked, and `snapshot commit` leaves it out.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  examples: [{ line: "git kai-version snapshot diff 01K", does: "lists what was added, changed and deleted" }],
  async run({ id }, context) {
    context.output.result(await diffSnapshot(callerOf(context), id), describeDiff);
  },
});

function describeDiff(diff: SnapshotDiff, { style }: Output): string {
  const { added, modified, deleted, refused, truncated } = diff;
  const ignored = new Set(diff.ignored);
  const lines = [
    ...added.map((path) => ({
      path,
      text: `${style.green("added    ")} ${oneLine(path)}${ignored.has(path) ? style.dim("  ignored") : ""}`,
    })),
    ...modified.map((path) => ({ path, text: `${style.yellow("modified ")} ${oneLine(path)}` })),
    ...deleted.map((path) => ({ path, text: `${style.red("deleted  ")} ${oneLine(path)}` })),
    ...refused.map(({ path, reason }) => ({
      path,
      text: `${style.dim("refused  ")} ${oneLine(path)}  ${style.dim(reason)}`,
    })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (lines.length === 0) return "Nothing differs.";
  const more = truncated ? ["", "There is more: too much was changed to look at all of it."] : [];
  return [...lines.map(({ text }) => text), ...more].join("\n");
}
