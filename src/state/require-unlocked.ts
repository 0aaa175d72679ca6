import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { readStagedState } from "../operation/staged-state.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { readablePath } from "../system/path-bytes.js";
import { tryWriteLock } from "../system/sqlite.js";

/**
 * Refuses (E123), before anything has happened, where a database is to be restored that somebody holds a write transaction on: behind
 * the commit point it would be too late.
 */
export async function requireUnlocked(repository: Repository & { workTree: string }, folder: string): Promise<void> {
  const staged = await readStagedState(folder);
  for (const { path: name, kind } of staged?.files ?? []) {
    if (kind !== "sqlite") continue;
    const words = await probe(repository, folder, name);
    if (words === undefined || !/locked|busy/.test(words)) continue;
    throw new KaiError("E123", `The database ${readablePath(name)} cannot be restored: somebody holds it (${words}).`, {
      hint: "Nothing was changed. Stop what writes to it, and run it again.",
    });
  }
}

/** What SQLite says to a write transaction that writes nothing; undefined where it may begin, or no file is there. */
async function probe(
  { workTree, env }: Repository & { workTree: string },
  folder: string,
  name: string,
): Promise<string | undefined> {
  const folders = name.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(workTree, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    if (!parent.find(base)?.isFile()) return undefined;
    const database = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
    return await tryWriteLock(database, path.join(folder, "state"), env);
  } finally {
    parent.close();
  }
}
