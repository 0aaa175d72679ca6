import { KaiError } from "../error.js";
import { parseCapture } from "../state/capture-manifest.js";
import type { StateCopies } from "../state/copy-state.js";
import { distinctPath, readablePath } from "../system/path-bytes.js";
import { versionInForce } from "./history.js";
import { stateRefOf } from "./state-history.js";
import type { WritingSession } from "./writing-session.js";

/**
 * Refuses (E123) to capture as a plain file what was a database when the state of the version in force was captured: its beginning
 * was overwritten, and no version is to have a broken one.
 */
export async function requireDatabases(
  { reader, history }: Pick<WritingSession, "reader" | "history">,
  { copied }: StateCopies,
): Promise<void> {
  const tag = versionInForce(history)?.tag;
  const files = copied.filter(({ kind }) => kind === "file");
  if (tag === undefined || files.length === 0) return;
  const before = await reader.find(`${stateRefOf(tag)}:capture.json`);
  const captured = (before && parseCapture(before.content, null)?.files) ?? [];
  const databases = new Set(captured.flatMap(({ kind, path }) => (kind === "sqlite" ? [path] : [])));
  const broken = files.filter(({ path }) => databases.has(distinctPath(path))).map(({ path }) => readablePath(path));
  if (broken.length === 0) return;
  throw new KaiError("E123", `No SQLite database any more, and captured as one with ${tag}: ${broken.join(", ")}.`, {
    hint: "Nothing was changed. `git kai-version rollback current --component state` saves the bytes and puts the state that was captured with the version in force in their place. A file that is meant to be none: make a version without it first.",
    data: { paths: broken },
  });
}
