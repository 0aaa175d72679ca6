import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import { unpauseContainer } from "../podman/pause-container.js";
import { dismissContainer, removeContainer } from "../podman/remove-container.js";
import { ownIdentity } from "../system/process-identity.js";
import type { Caller } from "../version/writing-session.js";
import { claimed } from "./claim-snapshot.js";
import { isRootless } from "./is-rootless.js";
import { requireOwnFolder } from "./require-own-folder.js";
import { removeSandboxFolder } from "./sandbox/sandbox-folder.js";
import { releaseNetwork } from "./sandbox/sandbox-network.js";
import { findSave, type KeptSave, listSaves, removeSaves, requireFree } from "./saves.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

export interface DestroyedSnapshot {
  /** Null where it was gone already. */
  readonly snapshot: KnownSnapshot | null;
  /** What was saved of it and is removed, too. */
  readonly save: KeptSave | null;
}

/**
 * Ends a snapshot at once, whatever runs in it, and takes its container, files and record away; with `saves` also what was saved
 * of it, where it is gone already that alone. What was committed stays. E101, E122, E125 where another one stands on the save.
 */
export async function destroySnapshot(
  caller: Caller,
  asked: string,
  { saves }: { readonly saves: boolean },
): Promise<DestroyedSnapshot> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  const destroy = async (snapshot: KnownSnapshot | null): Promise<DestroyedSnapshot> => {
    const kept = saves ? await listSaves(repository) : [];
    const save = findSave(kept, snapshot?.record.id ?? asked) ?? null;
    if (snapshot === null && save === null) await store.find(asked);
    if (save !== null) await requireFree(repository, save, await store.list());
    if (snapshot !== null) await destroyRecorded(store, snapshot.record, caller.env);
    if (save !== null) await removeSaves(repository, [save]);
    return { snapshot, save };
  };
  try {
    const claim = { purpose: "snapshot destroy", ...caller };
    return await claimed(store, await store.find(asked), claim, destroy);
  } catch (cause) {
    if (saves && cause instanceof KaiError && cause.code === "E101") return destroy(null);
    throw cause;
  }
}

/**
 * The same as `takeAway`, of which the record tells first: whoever is killed over it has it brought to its end, and nothing saved. E125
 * where its folder does not say that it is its.
 */
export async function destroyRecorded(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await requireOwnFolder(store, record);
  await store.write({ ...record, destroyer: ownIdentity() });
  await takeAway(store, record, env);
}

/** All that a snapshot is made of. */
export async function takeAway(store: SnapshotStore, record: SnapshotRecord, env: NodeJS.ProcessEnv): Promise<void> {
  await takeContainerAway(store, record, env);
  await takeFilesAway(store, record, env);
}

/** Where the container is gone. The record goes last: as long as it is there, whoever comes next can finish this. */
export async function takeFilesAway(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await removeSandboxFolder(record.folder, { rootless: isRootless(), env });
  await store.remove(record.id);
}

/** The container, and the network that was made for it alone. */
export async function takeContainerAway(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { living, dead } = store.holdersOf(record.id);
  // One that is held still would outlive its end.
  if (living || dead.length > 0) await unpauseContainer(record.container, env);
  await removeContainer(record.container, env, record.process ?? undefined);
  await releaseNetwork(record, env);
}

/** The same of a snapshot that stays, with its files: nobody waits for podman, and what that leaves goes with the snapshot. */
export async function endContainer(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { container, process, settings } = record;
  // A network goes only when its container has gone.
  if (process === null || settings.network.mode === "bridge") return takeContainerAway(store, record, env);
  dismissContainer(container, env, process);
}
