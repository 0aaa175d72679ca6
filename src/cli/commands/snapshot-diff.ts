import { diffSnapshot, type SnapshotDiff } from "../../snapshot/diff-snapshot.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required } from "../define-command.js";
import type { Output } from "../output.js";
import { oneLine, visible } from "../style.js";

export const snapshotDiffCommand = defineCommand({
  name: "snapshot diff",
  summary: "Show what differs in a snapshot from the files that it began with",
  description:
    "Looks at the files themselves, with the snapshot held still; nothing of what is there is trusted, followed or run. `refused` is what can be in no version, and why; what the version's own .gitignore files ignore is marked, and `snapshot commit` leaves it out. So is what kai.yaml, git or a forge names to be run on a host later, which `snapshot commit` takes with --allow-executable only; what that imports or includes is not.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  options: { patch: flag("show the text of what `snapshot commit` would take, too", { short: "p" }) },
  examples: [
    { line: "git kai-version snapshot diff 01K", does: "lists what was added, changed and deleted" },
    { line: "git kai-version snapshot diff 01K --patch", does: "and shows how" },
  ],
  async run({ id, patch }, context) {
    const diff = await diffSnapshot(callerOf(context), id, { patch });
    // As it is: its names are made safe where they are shown whole.
    context.output.result(diff, (_printable, output) => describeDiff(diff, output));
  },
});

function describeDiff(diff: SnapshotDiff, { style }: Output): string {
  const { added, modified, deleted, refused, truncated } = diff;
  const ignored = new Set(diff.ignored);
  const runs = new Map(diff.executable.map(({ path, reason }) => [path, reason]));
  const marksOf = (path: string): string => {
    const reason = runs.get(path);
    return `${ignored.has(path) ? style.dim("  ignored") : ""}${reason === undefined ? "" : `  ${style.yellow(reason)}`}`;
  };
  const lines = [
    ...added.map((path) => ({ path, text: `${style.green("added    ")} ${oneLine(path)}${marksOf(path)}` })),
    ...modified.map((path) => ({ path, text: `${style.yellow("modified ")} ${oneLine(path)}${marksOf(path)}` })),
    ...deleted.map((path) => ({ path, text: `${style.red("deleted  ")} ${oneLine(path)}${marksOf(path)}` })),
    ...refused.map(({ path, reason }) => ({
      path,
      text: `${style.dim("refused  ")} ${oneLine(path)}  ${style.dim(reason)}`,
    })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (lines.length === 0) return "Nothing differs.";
  const more = truncated ? ["", "There is more: too much was changed to look at all of it."] : [];
  return [...lines.map(({ text }) => text), ...more, ...describePatch(diff.patch, style)].join("\n");
}

function describePatch(patch: SnapshotDiff["patch"], style: Output["style"]): string[] {
  if (patch === null) return [];
  const left = patch.notShown.map(({ path, reason }) => `${style.dim("not shown")} ${oneLine(path)}: ${reason}`);
  const paint = (line: string) =>
    line.startsWith("+") ? style.green(line) : line.startsWith("-") ? style.red(line) : line;
  const text = patch.text
    .trimEnd()
    .split("\n")
    .map((line) => paint(visible(line)));
  return [...left, ...(patch.text === "" ? [] : ["", ...text])];
}
