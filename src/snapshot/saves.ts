import { KaiError } from "../error.js";
import { updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import type { KnownSnapshot } from "./snapshot-store.js";

const SAVES = "refs/kai/snapshots";
export const savesRef = (id: string): string => `${SAVES}/${id}`;

/** What `snapshot save` kept of a snapshot, which may be gone. */
export interface KeptSave {
  /** The snapshot's. */
  readonly id: string;
  readonly version: string;
  readonly tag: string;
  /** The newest one's. */
  readonly commit: string;
  /** ISO 8601 in UTC. */
  readonly savedAt: string;
}

/** A snapshot of which nothing is left but what was saved. */
export interface GoneSnapshot extends Omit<KeptSave, "commit"> {
  readonly status: "gone";
  readonly saved: string;
}

export const goneSnapshot = ({ commit, ...save }: KeptSave): GoneSnapshot => ({
  ...save,
  status: "gone",
  saved: commit,
});

/** The message of a save, by which it is known when its snapshot is gone. */
export const formatSaveMessage = ({ id, version, tag }: Pick<KeptSave, "id" | "version" | "tag">): string =>
  `Save of the snapshot ${id} of ${tag}\n\nKai-Snapshot: ${id}\nKai-Version: ${version}`;

const MESSAGE = /^Save of the snapshot (\S+) of (\S+)\n\nKai-Snapshot: \1\nKai-Version: ([0-9A-Za-z.+-]+)\n$/;
const FORMAT = "--format=%(refname:lstrip=3)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00";

/** All saves, by their snapshots' ids; what is no save of ours is passed over. One process. */
export async function listSaves(repository: Repository): Promise<KeptSave[]> {
  const out = (await runGit(repository, ["for-each-ref", FORMAT, `${SAVES}/`])).toString();
  return out
    .split("\0\n")
    .slice(0, -1)
    .flatMap((line) => {
      const [name = "", commit = "", seconds = "", message = ""] = line.split("\0");
      const [, id, tag, version] = MESSAGE.exec(message) ?? [];
      if (id !== name || tag === undefined || version === undefined) return [];
      return [{ id, version, tag, commit, savedAt: new Date(Number(seconds) * 1000).toISOString() }];
    });
}

/** The saves of a snapshot that is gone, by how its id begins or ends; undefined for none or several. */
export function findSave(saves: readonly KeptSave[], asked: string): KeptSave | undefined {
  const wanted = asked.toUpperCase();
  const found = saves.filter(({ id }) => wanted !== "" && (id.startsWith(wanted) || id.endsWith(wanted)));
  return found.length === 1 ? found[0] : undefined;
}

/** Whether a snapshot stands on a save: without it git could throw away what it began with. */
export const isStoodOn = ({ id, commit }: KeptSave, living: readonly KnownSnapshot[]): boolean =>
  living.some(({ record }) => record.id !== id && (record.base === id || record.commit === commit));

/** Removes the refs of saves, all or none, each only while it is what was seen. */
export const removeSaves = (repository: Repository, saves: readonly KeptSave[]): Promise<void> =>
  updateRefs(
    repository,
    saves.map(({ id, commit }) => ({ ref: savesRef(id), old: commit, new: null })),
  );

/** E125 where a living snapshot stands on them. */
export function requireFree(save: KeptSave, living: readonly KnownSnapshot[]): void {
  if (!isStoodOn(save, living)) return;
  throw new KaiError("E125", `Another snapshot stands on what was saved of ${save.id}.`, {
    hint: "`git kai-version snapshot list` shows which: destroy it first, or leave out `--saves`.",
  });
}
