import { createHash } from "node:crypto";
import { KaiError } from "../error.js";
import { objectHeader } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import { ABSENT, diffTrees, type TreeChange } from "../git/tree-diff.js";
import { readRef } from "../operation/read-ref.js";
import { requireAcceptable } from "./ingest/require-acceptable.js";
import { bytesOf } from "./ingest/store-changes.js";
import type { FoundIn } from "./judged-changes.js";
import { savesRef } from "./saves.js";
import { type KnownSnapshot, takenFrom } from "./snapshot-store.js";

/**
 * Whether what was found of a snapshot is in no save, as whoever prunes it would find it; nothing is written. E128 where there is
 * more than a version can take, so that it could not be pruned.
 */
export async function wouldSave(repository: Repository, known: KnownSnapshot, found: FoundIn): Promise<boolean> {
  try {
    // Whoever prunes it ends it first.
    requireAcceptable(found, takenFrom({ ...known, status: "stopped" }));
    const saved = await readRef(repository, savesRef(known.record.id));
    return saved === null || !(await isSaved(repository, found, await diffTrees(repository, known.record.tree, saved)));
  } catch (cause) {
    // What still runs there writes.
    if (cause instanceof KaiError && cause.code === "E123") return true;
    throw cause;
  }
}

/** Whether a save differs from the files that a snapshot began with by just what the snapshot changed. */
async function isSaved(
  repository: Repository,
  { changes, folder }: FoundIn,
  saved: readonly TreeChange[],
): Promise<boolean> {
  const savedAt = new Map(saved.map((change) => [change.path, change]));
  if (changes.length !== saved.length) return false;
  for (const change of changes) {
    const other = savedAt.get(change.path);
    if (other?.newMode !== (change.mode ?? ABSENT)) return false;
    if (change.mode === null) continue;
    const hash = createHash(repository.objectFormat).update(objectHeader("blob", change.size));
    for await (const chunk of bytesOf(folder, change)) hash.update(chunk);
    if (hash.digest("hex") !== other.newId) return false;
  }
  return true;
}
