import { existsSync } from "node:fs";
import path from "node:path";
import { removeLeftovers } from "../podman/leftovers.js";
import { listContainers, SNAPSHOT_LABEL } from "../podman/list-containers.js";
import { removeContainer } from "../podman/remove-container.js";
import { shellQuote } from "../system/shell-quote.js";
import type { Caller } from "../version/writing-session.js";
import { isRootless } from "./is-rootless.js";
import type { LeftSnapshot } from "./prune-due.js";
import { listForsaken, listUnclaimed, sweepSandboxFolders } from "./sandbox/forsaken-folders.js";
import { sandboxFolderIn } from "./sandbox/sandbox-names.js";
import { FOLDER_LABEL, type KnownSnapshot, type SnapshotStore, STORE_LABEL } from "./snapshot-store.js";
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
  const containers = await orphanedContainers(env, { store, tempDir, going, dryRun, folders });
  return [...records, ...sandboxes, ...containers, ...folders];
}

/** Snapshots of repositories that are not there, in which something was changed: nobody but whoever has them can say that it is not needed. */
export async function leftUnclaimed(
  { now }: Pick<Caller, "now">,
  { store, tempDir }: Pick<Sweeping, "store" | "tempDir">,
): Promise<LeftSnapshot[]> {
  const unclaimed = await listUnclaimed(tempDir, now());
  return unclaimed
    .filter(({ id }) => !store.has(id))
    .map(({ id, folder, repository }) => ({
      id,
      reason: `something was changed in it, and its repository is not at ${repository?.path} any more.`,
      hint: `\`git kai-version snapshot list\` in that one, wherever it is now, finds it again; where there is none, \`${removal(folder)}\` removes it.`,
    }));
}

/** What removes a folder by hand, as a shell reads it. */
function removal(folder: string): string {
  const quoted = shellQuote(folder);
  return isRootless() ? `podman unshare rm -rf ${quoted}` : `umount -R ${quoted}/volume; rm -rf ${quoted}`;
}

/**
 * Containers of snapshots whose record is gone, and whose folder is, or goes now, on this machine and of this user. Where that is there,
 * the snapshot may be that of a repository that was moved away from here.
 */
async function orphanedContainers(
  env: NodeJS.ProcessEnv,
  { store, tempDir, going, dryRun, folders }: Sweeping & { readonly folders: readonly string[] },
): Promise<string[]> {
  const removed: string[] = [];
  for (const { name, labels } of await listContainers(SNAPSHOT_LABEL, env)) {
    const id = labels[SNAPSHOT_LABEL] ?? "";
    if (labels[STORE_LABEL] !== store.root || store.has(id) || going.some(({ record }) => record.id === id)) continue;
    const folder = labels[FOLDER_LABEL] ?? sandboxFolderIn(tempDir, id);
    if (existsSync(folder) && !folders.includes(path.basename(folder))) continue;
    if (!dryRun) await removeContainer(name, env);
    removed.push(name);
  }
  return removed;
}
