import { accessSync, constants } from "node:fs";
import { KaiError } from "../error.js";
import type { StagedStateFile } from "../operation/staged-state.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { readablePath } from "../system/path-bytes.js";
import { SQLITE_SIBLINGS } from "../system/sqlite.js";

/**
 * Refuses, before anything is changed, where state could not be put in place: E102 where a link, a folder or another
 * thing that is no file is in the way, E118 where a folder or a file cannot be written.
 */
export function requirePlaces(workTree: string, files: readonly Pick<StagedStateFile, "path" | "kind">[]): void {
  const blocked = files.filter((file) => !isPlace(workTree, file)).map((file) => file.path);
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

function isPlace(workTree: string, { path, kind }: Pick<StagedStateFile, "path" | "kind">): boolean {
  const folders = path.split("/");
  const base = folders.pop() ?? "";
  let missing = false;
  for (let depth = folders.length; ; depth--) {
    const folder = openBelow(workTree, folders.slice(0, depth), { make: false });
    if (folder === "blocked") return false;
    if (!(folder instanceof HeldFolder)) {
      missing = true;
      continue;
    }
    try {
      const now = missing ? undefined : folder.find(base);
      if (now !== undefined && !now.isFile()) return false;
      // SQLite could open no database beside it.
      if (kind === "sqlite" && SQLITE_SIBLINGS.some((end) => folder.find(base + end)?.isFile() === false)) return false;
      requireWritable(folder.at("."), folders.slice(0, depth).join("/"));
      // Any other is replaced, not written to.
      if (now !== undefined && kind === "sqlite") requireWritable(folder.at(base), path);
      return true;
    } finally {
      folder.close();
    }
  }
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
