import { removeLeftovers } from "../podman/leftovers.js";
import { listContainers, SNAPSHOT_LABEL } from "../podman/list-containers.js";
import { removeContainer } from "../podman/remove-container.js";
import type { Caller } from "../version/writing-session.js";
import { isRootless } from "./is-rootless.js";
import { listForsaken, sweepSandboxFolders } from "./sandbox/sandbox-folder.js";
import { type KnownSnapshot, type SnapshotStore, STORE_LABEL } from "./snapshot-store.js";
import { sweepRecords } from "./take-place.js";

export interface Sweeping {
  readonly store: SnapshotStore;
  readonly tempDir: string;
  readonly dryRun: boolean;
  /** In a dry run: those whose containers would go with them. */
  readonly going: readonly KnownSnapshot[];
}

/**
 * Removes what belongs to no snapshot and nobody who lives: records, containers and folders, also those in which this machine was
 * looked at or a rollback was rehearsed. Gives their names; in a dry run nothing else.
 */
export async function sweepForsaken(
  { env, now }: Pick<Caller, "env" | "now">,
  { store, tempDir, dryRun, going }: Sweeping,
): Promise<string[]> {
  // What runs in them writes to their folders.
  const sandboxes = await removeLeftovers(env, dryRun);
  const folders = dryRun
    ? await listForsaken(tempDir, now())
    : await sweepSandboxFolders(tempDir, { rootless: isRootless(), env }, now());
  const records = await sweepRecords(store, env, dryRun);
  const containers = await orphanedContainers(env, { store, going, dryRun });
  return [...records, ...sandboxes, ...containers, ...folders];
}

/** Containers of snapshots whose record is gone, and whose folder is, on this machine and of this user. */
async function orphanedContainers(
  env: NodeJS.ProcessEnv,
  { store, going, dryRun }: Pick<Sweeping, "store" | "going" | "dryRun">,
): Promise<string[]> {
  const removed: string[] = [];
  for (const { name, labels } of await listContainers(SNAPSHOT_LABEL, env)) {
    const id = labels[SNAPSHOT_LABEL] ?? "";
    if (labels[STORE_LABEL] !== store.root || store.has(id) || going.some(({ record }) => record.id === id)) continue;
    if (!dryRun) await removeContainer(name, env);
    removed.push(name);
  }
  return removed;
}
