import { KaiError } from "../error.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import { lacksRefs } from "../git/plain-refs.js";
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

/** What a save says of itself. */
export type SaveMessage = Pick<KeptSave, "id" | "version" | "tag">;

/** The message of a save, by which it is known when its snapshot is gone. */
export const formatSaveMessage = ({ id, version, tag }: SaveMessage): string =>
  `Save of the snapshot ${id} of ${tag}\n\nKai-Snapshot: ${id}\nKai-Version: ${version}`;

const MESSAGE =
  /^Save of the snapshot ([0-9A-HJKMNP-TV-Z]{26}) of (\S+)\n\nKai-Snapshot: \1\nKai-Version: ([0-9A-Za-z.+-]+)\n$/;

/** Undefined for the message of what is no save. */
export function parseSaveMessage(message: string): SaveMessage | undefined {
  const [, id, tag, version] = MESSAGE.exec(message) ?? [];
  return id === undefined || tag === undefined || version === undefined ? undefined : { id, tag, version };
}

const FORMAT = "--format=%(refname:lstrip=3)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00";

const LISTING = ["for-each-ref", FORMAT, `${SAVES}/`];

/** All saves, by their snapshots' ids; what is no save of ours is passed over. One process, and none where it is seen that there are none. */
export const listSaves = async (repository: Repository): Promise<KeptSave[]> =>
  lacksRefs(repository, SAVES) ? [] : parseSaves(await runGit(repository, LISTING));

function parseSaves(out: Buffer): KeptSave[] {
  return out
    .toString()
    .split("\0\n")
    .slice(0, -1)
    .flatMap((line) => {
      const [name = "", commit = "", seconds = "", message = ""] = line.split("\0");
      const said = parseSaveMessage(message);
      if (said?.id !== name) return [];
      return [{ ...said, commit, savedAt: new Date(Number(seconds) * 1000).toISOString() }];
    });
}

/** The saves of a snapshot that is gone, by how its id begins or ends; undefined for none or several. */
export function findSave(saves: readonly KeptSave[], asked: string): KeptSave | undefined {
  const [found, another] = savesOf(saves, asked);
  return another === undefined ? found : undefined;
}

function savesOf(saves: readonly KeptSave[], asked: string): KeptSave[] {
  const wanted = asked.toUpperCase();
  return saves.filter(({ id }) => wanted !== "" && (id.startsWith(wanted) || id.endsWith(wanted)));
}

/** Where none lives: E101, which names what was saved of one that is gone, or E122 for several of those. */
export function noSnapshot(saves: readonly KeptSave[], asked: string): KaiError {
  const [save, ...others] = savesOf(saves, asked);
  if (others.length > 0) return severalSnapshots(others.length + 1, asked);
  return save
    ? new KaiError("E101", `The snapshot ${save.id} is gone; what was saved of it is there.`, {
        hint: `\`git kai-version snapshot create refs/kai/snapshots/${save.id}\` begins with these files again; \`snapshot destroy ${save.id} --saves\` removes them.`,
      })
    : new KaiError("E101", `There is no snapshot ${asked}.`, {
        hint: "`git kai-version snapshot list` shows those there are.",
      });
}

export const severalSnapshots = (count: number, asked: string): KaiError =>
  new KaiError("E122", `${count} snapshots begin or end with ${asked}.`, { hint: "Give more of the id." });

/** A commit of a save, without its id. */
interface SaveCommit {
  readonly tree: string;
  readonly parents: readonly string[];
}

/** The commits of saves that no branch or tag has, by their ids. One process, however many there are. */
export async function readOwnCommits(
  repository: Repository,
  saves: readonly KeptSave[],
): Promise<ReadonlyMap<string, SaveCommit>> {
  const tips = saves.map(({ commit }) => commit);
  const args = ["--format=%H %T %P", ...tips, "--not", "--branches", "--tags", "--"];
  const lines = (await runGit(repository, [...PLAIN_LOG, ...args])).toString().split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [id = "", tree = "", ...parents] = line.split(" ");
      return [id, { tree, parents: parents.filter(Boolean) }];
    }),
  );
}

/** Those of one save, from its tip down to what a branch or tag has. */
export function* commitsOf(
  { commit }: KeptSave,
  own: ReadonlyMap<string, SaveCommit>,
): Generator<[string, SaveCommit]> {
  const waiting = [commit];
  const seen = new Set<string>();
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const found = own.get(id);
    if (found === undefined || seen.has(id)) continue;
    seen.add(id);
    yield [id, found];
    waiting.push(...found.parents);
  }
}

/** Whether a snapshot stands on a save, the newest or one before: without it git could throw away what it began with. */
export function isStoodOn(
  save: KeptSave,
  living: readonly KnownSnapshot[],
  own: ReadonlyMap<string, SaveCommit>,
): boolean {
  return standingOn(save, living, own).length > 0;
}

function standingOn(
  save: KeptSave,
  living: readonly KnownSnapshot[],
  own: ReadonlyMap<string, SaveCommit>,
): KnownSnapshot[] {
  const commits = new Set([save.commit, ...[...commitsOf(save, own)].map(([id]) => id)]);
  return living.filter(
    ({ record }) => record.id !== save.id && (record.base === save.id || commits.has(record.commit)),
  );
}

/** Removes the refs of saves, all or none, each only while it is what was seen. */
export const removeSaves = (repository: Repository, saves: readonly KeptSave[]): Promise<void> =>
  updateRefs(
    repository,
    saves.map(({ id, commit }) => ({ ref: savesRef(id), old: commit, new: null })),
  );

/** E125 where a living snapshot stands on them. */
export async function requireFree(
  repository: Repository,
  save: KeptSave,
  living: readonly KnownSnapshot[],
): Promise<void> {
  const [other] = standingOn(save, living, await readOwnCommits(repository, [save]));
  if (other === undefined) return;
  throw new KaiError("E125", `The snapshot ${other.record.id} stands on what was saved of ${save.id}.`, {
    hint: `\`git kai-version snapshot destroy ${other.record.id}\` first, or leave out \`--saves\`.`,
  });
}
