import { openRepository } from "../git/repository.js";
import { removeContainer } from "../podman/remove-container.js";
import type { Caller } from "../version/writing-session.js";
import { isRootless } from "./is-rootless.js";
import { removeSandboxFolder } from "./sandbox/sandbox-folder.js";
import { releaseNetwork } from "./sandbox/sandbox-network.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** Ends a snapshot at once, whatever runs in it, and takes its container, files and record away. What was saved or committed stays. */
export async function destroySnapshot(caller: Caller, asked: string): Promise<KnownSnapshot> {
  const store = new SnapshotStore(await openRepository(caller.cwd, caller.env));
  const known = await store.find(asked);
  await takeAway(store, known.record, caller.env);
  return known;
}

/** All that a snapshot is made of. */
export async function takeAway(store: SnapshotStore, record: SnapshotRecord, env: NodeJS.ProcessEnv): Promise<void> {
  await takeContainerAway(record, env);
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
export async function takeContainerAway(record: SnapshotRecord, env: NodeJS.ProcessEnv): Promise<void> {
  await removeContainer(record.container, env, record.process ?? undefined);
  await releaseNetwork(record, env);
}
