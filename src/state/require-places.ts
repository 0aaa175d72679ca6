import { accessSync, constants } from "node:fs";
import { KaiError } from "../error.js";
import { readablePath } from "../system/path-bytes.js";
import { findBlocked, type StatePlace } from "./find-blocked.js";

/**
 * Refuses, before anything is changed, where state could not be put in place: E102 where a link, a folder or another
 * thing that is no file is in the way, E118 where a folder or a file cannot be written.
 */
export function requirePlaces(workTree: string, files: readonly StatePlace[], removed: readonly string[]): void {
  const blocked = findBlocked(workTree, files, removed, requireWritable);
  if (blocked.length === 0) return;
  const shown = blocked.slice(0, 5).map(readablePath).join(", ");
  throw new KaiError(
    "E102",
    `State cannot be restored where something is that is no file, or a link on the way: ${shown}.`,
    {
      hint: "Nothing was changed. Move that away, and run it again.",
      data: { paths: blocked.map(readablePath) },
    },
  );
}

function requireWritable(file: Buffer, name: string): void {
  try {
    accessSync(file, constants.W_OK);
  } catch (cause) {
    throw new KaiError(
      "E118",
      `State cannot be restored: ${readablePath(name) || "the working tree"} cannot be written.`,
      {
        hint: "Nothing was changed. Mend its permissions, or the file system that it is on, and run it again.",
        cause,
      },
    );
  }
}
