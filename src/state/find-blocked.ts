import { readdirSync } from "node:fs";
import type { StagedStateFile } from "../operation/staged-state.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { SQLITE_SIBLINGS } from "../system/sqlite.js";

export type StatePlace = Pick<StagedStateFile, "path" | "kind">;

/** What is asked of each folder and database that would be written to, with its path (latin1). */
type OnWritten = (file: Buffer, name: string) => void;

/**
 * The paths (latin1) of state that could not be put in place because a link, a folder or another thing that is no file is in the
 * way. What is `removed` first is not: a file may become a folder, and a folder that has nothing else a file.
 */
export function findBlocked(
  workTree: string,
  files: readonly StatePlace[],
  removed: readonly string[],
  onWritten: OnWritten = () => {},
): string[] {
  const goes = new Set(removed);
  return files.filter((file) => !isPlace(workTree, file, goes, onWritten)).map((file) => file.path);
}

function isPlace(
  workTree: string,
  { path, kind }: StatePlace,
  goes: ReadonlySet<string>,
  onWritten: OnWritten,
): boolean {
  const folders = path.split("/");
  const base = folders.pop() ?? "";
  let missing = false;
  for (let depth = folders.length; ; depth--) {
    const above = folders.slice(0, depth);
    const folder = openBelow(workTree, above, { make: false });
    if (folder === "blocked" && !above.some((_, index) => goes.has(above.slice(0, index + 1).join("/")))) return false;
    if (!(folder instanceof HeldFolder)) {
      missing = true;
      continue;
    }
    try {
      const now = missing ? undefined : folder.find(base);
      if (now !== undefined && !now.isFile() && !isEmptied(folder, base, path, goes)) return false;
      // SQLite could open no database beside it.
      if (kind === "sqlite" && SQLITE_SIBLINGS.some((end) => folder.find(base + end)?.isFile() === false)) return false;
      onWritten(folder.at("."), above.join("/"));
      // Any other is replaced, not written to.
      if (now?.isFile() && kind === "sqlite") onWritten(folder.at(base), path);
      return true;
    } finally {
      folder.close();
    }
  }
}

/** Whether it is a folder in which all goes, and something does. */
const isEmptied = (parent: HeldFolder, base: string, path: string, goes: ReadonlySet<string>): boolean =>
  [...goes].some((name) => name.startsWith(`${path}/`)) && hasOnly(parent, base, path, goes);

function hasOnly(parent: HeldFolder, base: string, path: string, goes: ReadonlySet<string>): boolean {
  const folder = parent.child(base);
  if (!(folder instanceof HeldFolder)) return false;
  try {
    return readdirSync(folder.at("."), "latin1").every((name) => {
      const below = `${path}/${name}`;
      if (goes.has(below) || hasOnly(folder, name, below, goes)) return true;
      return SQLITE_SIBLINGS.some((end) => name.endsWith(end) && goes.has(below.slice(0, -end.length)));
    });
  } finally {
    folder.close();
  }
}
