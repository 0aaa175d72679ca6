import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import type { Caller } from "../version/writing-session.js";
import { listRefused } from "./describe-changes.js";
import type { RefusedPath } from "./execution.js";
import type { FoundChanges } from "./ingest/found-changes.js";
import { isRootless } from "./is-rootless.js";
import { changedFolder, findLayers, readChanges } from "./sandbox/sandbox-layers.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { whileStill } from "./while-still.js";

/** What a snapshot changed, named readably. */
export interface SnapshotDiff {
  readonly id: string;
  readonly version: string;
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly deleted: readonly string[];
  readonly refused: readonly RefusedPath[];
  /** True where there was too much to look at all of it. */
  readonly truncated: boolean;
}

/** What differs in a snapshot from the files that it began with. E101, E103, E113. */
export async function diffSnapshot(caller: Caller, asked: string): Promise<SnapshotDiff> {
  const store = new SnapshotStore(await openRepository(caller.cwd, caller.env));
  const known = await store.find(asked);
  const { record } = known;
  const found = await whileStill(store, known, caller.env, () => changesOf(known, caller.env));
  const of = (change: string) =>
    found.changes.filter((each) => each.change === change).map(({ path }) => readablePath(path));
  return {
    id: record.id,
    version: record.version,
    added: of("added"),
    modified: of("modified"),
    deleted: of("deleted"),
    refused: listRefused(found.refused),
    truncated: found.truncated,
  };
}

/** The same as data for whoever goes on with it; nothing may run in the snapshot. E103 where its files are gone. */
export async function changesOf({ record }: KnownSnapshot, env: NodeJS.ProcessEnv): Promise<FoundIn> {
  const reader = { rootless: isRootless(), env };
  const layers = await findLayers(record.folder, record.settings, reader);
  if (layers === undefined) {
    throw new KaiError("E103", `The files of the snapshot ${record.id} are gone.`, {
      hint: `What was saved of it is kept: \`git log refs/kai/snapshots/${record.id}\`. \`git kai-version snapshot destroy ${record.id}\` takes the rest away.`,
    });
  }
  return { ...(await readChanges(layers, reader)), folder: changedFolder(layers) };
}

/** Changes, and the folder that holds what was added and modified. */
export interface FoundIn extends FoundChanges {
  readonly folder: string;
}
