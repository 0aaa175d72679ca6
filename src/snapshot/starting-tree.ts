import { KaiError } from "../error.js";
import { treeOf } from "../git/tree-of.js";
import { type VersionTree, versionTree } from "./sandbox/version-tree.js";
import type { Places, SnapshotGround } from "./snapshot-ground.js";
import type { SnapshotSettings } from "./snapshot-settings.js";
import type { SnapshotStore } from "./snapshot-store.js";

export interface StartRequest {
  readonly ground: SnapshotGround;
  readonly settings: SnapshotSettings;
  readonly store: SnapshotStore;
  readonly places: Places;
  /** The snapshot that a layered one stands on, as the caller named it. */
  readonly base: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/** The files that a snapshot begins with, shared by all that begin with them, never written. */
export interface StartingTree extends VersionTree {
  /** Object id of their tree. */
  readonly tree: string;
  /** The whole id of the snapshot that they are of, which may be gone; null where they are the version's. */
  readonly base: string | null;
}

/**
 * The version's files, or those of the save that was asked for; of a layered snapshot those that its base had when it was saved last.
 * E122 for both, E125 where the base was never saved, or is one of another version.
 */
export async function startingTree({
  ground,
  settings,
  store,
  places,
  base,
  env,
}: StartRequest): Promise<StartingTree> {
  const { repository, version, save, tree } = ground;
  const { namespaces, security } = settings;
  const request = { repository, kaiDir: places.kaiDir, user: security.user, namespaces, env };
  if (base === null) return { tree, ...versionTree({ ...request, tree }), base: save?.id ?? null };
  if (save !== null) {
    throw new KaiError("E122", "A snapshot begins with a save, or stands on another snapshot.", {
      hint: `Leave out \`--base\`; or name the version: \`snapshot create ${version.number.text} --base ${base}\``,
    });
  }
  const { record } = await store.find(base);
  if (record.commit !== version.commit) {
    throw new KaiError("E125", `The snapshot ${record.id} is one of ${record.tag}, not of ${version.tag}.`, {
      hint: `Name its version: \`snapshot create ${record.version} --base ${record.id}\``,
    });
  }
  if (record.saved === null) {
    throw new KaiError("E125", `The snapshot ${record.id} was never saved: there is nothing to stand on.`, {
      hint: `\`git kai-version snapshot save ${record.id}\` keeps what it has now.`,
    });
  }
  const saved = await treeOf(repository, record.saved);
  return { tree: saved, ...versionTree({ ...request, tree: saved }), base: record.id };
}
