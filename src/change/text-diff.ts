import { type ConfigChange, valueChange } from "./config-change.js";
import { type Edit, editScript } from "./edit-script.js";

/** The changes of a text that has no structure to go by: one a run of differing lines, all with the empty key. */
export function diffText(before: string, after: string): ConfigChange[] {
  const oldLines = before.split(/\r?\n/);
  const newLines = after.split(/\r?\n/);
  const changes: ConfigChange[] = [];
  let run: Edit[] = [];
  const tell = () => {
    const removed = run.flatMap((edit) => (edit.kind === "remove" ? [edit.before] : []));
    const added = run.flatMap((edit) => (edit.kind === "add" ? [edit.after] : []));
    if (run.length > 0) changes.push(valueChange("", side(oldLines, removed), side(newLines, added)));
    run = [];
  };
  for (const edit of editScript(oldLines, newLines)) {
    if (edit.kind === "keep") tell();
    else run.push(edit);
  }
  tell();
  return changes;
}

function side(lines: readonly string[], indexes: readonly number[]): { value: string; line: number } | undefined {
  const [first] = indexes;
  if (first === undefined) return undefined;
  return { value: indexes.map((index) => lines[index]).join("\n"), line: first + 1 };
}
