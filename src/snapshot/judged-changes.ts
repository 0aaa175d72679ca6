import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { readRef } from "../operation/read-ref.js";
import type { Caller } from "../version/writing-session.js";
import type { FoundChanges } from "./ingest/found-changes.js";
import { refuseSecrets } from "./ingest/refuse-secrets.js";
import { isRootless } from "./is-rootless.js";
import { changedFolder, findLayers, readChanges } from "./sandbox/sandbox-layers.js";
import { savesRef } from "./saves.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** What a snapshot changed, in which nothing runs meanwhile. E103 where its files are gone. */
async function changesOf(repository: Repository, { record }: KnownSnapshot, env: NodeJS.ProcessEnv): Promise<FoundIn> {
  const reader = { rootless: isRootless(), env };
  const layers = await findLayers(record.folder, record.settings, reader);
  if (layers === undefined) {
    const ref = savesRef(record.id);
    const kept =
      (await readRef(repository, ref)) === null
        ? "Nothing was saved of it."
        : `What was saved of it is kept: \`git log ${ref}\`.`;
    throw new KaiError("E103", `The files of the snapshot ${record.id} are gone.`, {
      hint: `${kept} \`git kai-version snapshot destroy ${record.id}\` takes the rest away.`,
    });
  }
  return { ...(await readChanges(layers, reader)), folder: changedFolder(layers) };
}

/** Changes, and the folder that holds what was added and modified. */
export interface FoundIn extends FoundChanges {
  readonly folder: string;
}

/**
 * The same, and refused what holds a secret: one that an execution in it was given, and by the values that are handed in, else by
 * those that can be had without asking. What is refused is decided here and where it is found alone, so that all who tell it
 * say the same.
 */
export async function judgedChanges(
  repository: Repository,
  known: KnownSnapshot,
  caller: Caller,
  secrets?: readonly string[],
): Promise<FoundIn> {
  const found = await changesOf(repository, known, caller.env);
  // Few have some, and they bring much.
  const isSame = found.changes.length + found.refused.size === 0;
  if (isSame || Object.keys(known.record.settings.secrets).length === 0) return found;
  const [{ knownSecrets }, { readGiven }] = await Promise.all([
    import("./secrets-for.js"),
    import("./given-secrets.js"),
  ]);
  const marks = readGiven(new SnapshotStore(repository).folderOf(known.record.id));
  return refuseSecrets(found, secrets ?? (await knownSecrets(repository, caller, known.record)), marks);
}
