import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { readRef } from "../operation/read-ref.js";
import type { Caller } from "../version/writing-session.js";
import type { FoundChanges } from "./ingest/found-changes.js";
import { isAdded, judgeSubmodules } from "./ingest/judge-submodules.js";
import { refuseSecrets } from "./ingest/refuse-secrets.js";
import { isRootless } from "./is-rootless.js";
import { requireOwnFolder } from "./require-own-folder.js";
import { changedFolder, findLayers, readChanges } from "./sandbox/sandbox-layers.js";
import { savesRef } from "./saves.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** What a snapshot changed, in which nothing runs meanwhile; undefined where its files are gone. E125 where they do not say that they are its. */
async function changesOf(
  repository: Repository,
  { record }: KnownSnapshot,
  env: NodeJS.ProcessEnv,
): Promise<FoundIn | undefined> {
  await requireOwnFolder(new SnapshotStore(repository), record);
  const reader = { rootless: isRootless(), env };
  const layers = await findLayers(record.folder, record.settings, reader);
  return layers && { ...(await readChanges(layers, reader)), folder: changedFolder(layers) };
}

/** Changes, and the folder that holds what was added and modified. */
export interface FoundIn extends FoundChanges {
  readonly folder: string;
}

/** What is at hand already of what the judging needs. */
export interface JudgingWith {
  /** What the sandbox was told in confidence; else what can be had of it without asking. */
  readonly secrets?: readonly string[] | undefined;
  readonly reader?: ObjectReader | undefined;
}

/**
 * The same, and refused what lies in a submodule, and what holds a secret: one that an execution in it was given, and by the values that are at hand, else by
 * those that can be had without asking. What is refused is decided here and where it is found alone, so that all who tell it
 * say the same. E103 where they cannot be read now, which is another thing than that they are gone.
 */
export async function findJudgedChanges(
  repository: Repository,
  known: KnownSnapshot,
  caller: Caller,
  { secrets, reader }: JudgingWith = {},
): Promise<FoundIn | undefined> {
  const walked = await changesOf(repository, known, caller.env);
  if (walked === undefined) return undefined;
  const found = await withSubmodules(repository, known, walked, reader);
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

async function withSubmodules(
  repository: Repository,
  { record }: KnownSnapshot,
  found: FoundIn,
  given: ObjectReader | undefined,
): Promise<FoundIn> {
  if (!found.changes.some(isAdded)) return found;
  const reader = given ?? new ObjectReader(repository);
  try {
    return await judgeSubmodules(found, reader, record.tree);
  } finally {
    if (given === undefined) reader.close();
  }
}

/** The same, and E103 where its files are gone, too. */
export async function judgedChanges(
  repository: Repository,
  known: KnownSnapshot,
  caller: Caller,
  judging: JudgingWith = {},
): Promise<FoundIn> {
  const found = await findJudgedChanges(repository, known, caller, judging);
  if (found !== undefined) return found;
  const { id } = known.record;
  const ref = savesRef(id);
  const kept =
    (await readRef(repository, ref)) === null
      ? "Nothing was saved of it."
      : `What was saved of it is kept: \`git log ${ref}\`.`;
  throw new KaiError("E103", `The files of the snapshot ${id} are gone.`, {
    hint: `${kept} \`git kai-version snapshot destroy ${id}\` takes the rest away.`,
  });
}
