import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { reasonOf } from "../system/reason-of.js";
import type { Caller } from "../version/writing-session.js";
import { endAbandonedIn } from "./abandoned-commands.js";
import { claimedAtOnce } from "./claim-snapshot.js";
import { listRefused } from "./describe-changes.js";
import { destroyRecorded, takeContainerAway } from "./end-snapshot.js";
import type { RefusedPath } from "./execution.js";
import { findJudgedChanges } from "./judged-changes.js";
import { requireOwnFolder } from "./require-own-folder.js";
import { saveStillSnapshot } from "./save-snapshot.js";
import { isLive } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** What became of a snapshot that was pruned. */
export interface PrunedSnapshot {
  readonly id: string;
  readonly version: string;
  /** Why it went. */
  readonly reason: string;
  /** The commit under refs/kai/snapshots that keeps what it had changed; null where that was nothing, or was kept already. */
  readonly kept: string | null;
  /** In a dry run: whether there is something that would be; else null. */
  readonly wouldSave: boolean | null;
  /** What is lost with it, as it can be in no version, nor in a save; empty where nobody was to keep anything more of it. */
  readonly refused: readonly RefusedPath[];
}

/** A snapshot that could not be pruned. */
export interface LeftSnapshot {
  readonly id: string;
  readonly reason: string;
  /** The way out; null where none is known. */
  readonly hint: string | null;
}

/** A snapshot that is to go, and why. */
export interface DueSnapshot {
  readonly known: KnownSnapshot;
  readonly reason: string;
}

/** Whether somebody has use for it: a command runs in it, or it is being made, or committed by whoever throws it away then. */
const isInUse = ({ status, attended }: KnownSnapshot): boolean =>
  status === "running" || status === "creating" || attended === true;

/** Why one is to go whose maker was killed, or whoever took it away; undefined for all others. One that is in use always stays. */
export function whyForsaken(known: KnownSnapshot): string | undefined {
  if (isInUse(known)) return undefined;
  const { record, status, reason } = known;
  const isHalf = status === "error" && record.status === "creating";
  return record.throwAway || isHalf || record.destroyer !== undefined
    ? (reason ?? "whoever made it was killed")
    : undefined;
}

/** Why a snapshot is to go now; undefined where it stays. */
export function whyDue(known: KnownSnapshot, now: Date, all: boolean): string | undefined {
  if (isInUse(known)) return undefined;
  const { record, status } = known;
  const forsaken = whyForsaken(known);
  if (forsaken !== undefined) return forsaken;
  if (Date.parse(record.expiresAt) <= now.getTime()) return "its time is over";
  return all && status !== "ready" ? `it is ${status}` : undefined;
}

interface PruneHow {
  readonly dryRun: boolean;
  /** Passes over one of which something would be lost. */
  readonly sparing?: boolean;
}

/**
 * Takes them away, each with what it had changed and nobody kept saved first; also gives those that could not be, and why. Or only
 * tells it. One that somebody else works on, such as another prune, is passed over.
 */
export async function pruneAll(
  repository: Repository,
  store: SnapshotStore,
  due: readonly DueSnapshot[],
  caller: Caller,
  how: PruneHow = { dryRun: false },
): Promise<{ pruned: PrunedSnapshot[]; left: LeftSnapshot[] }> {
  const pruned: PrunedSnapshot[] = [];
  const left: LeftSnapshot[] = [];
  for (const { known, reason } of due) {
    const { id, version } = known.record;
    try {
      const saved = await pruneOne(repository, store, known, caller, how);
      if (saved !== undefined && saved !== "spared") pruned.push({ id, version, reason, ...saved });
    } catch (cause) {
      if (caller.interrupted?.aborted) throw cause;
      left.push({ id, ...whyLeft(cause) });
    }
  }
  return { pruned, left };
}

/**
 * Prunes what is due, before a new one is begun or where a timer asks, but for those of which something would be lost: nobody asked for
 * that. One that cannot go so is told, and where that lasts, not looked at again by a sweep. Starts no process where nothing is due.
 */
export async function sweepDue(
  repository: Repository,
  store: SnapshotStore,
  caller: Caller,
  { dryRun }: { readonly dryRun: boolean } = { dryRun: false },
): Promise<PrunedSnapshot[]> {
  const pruned: PrunedSnapshot[] = [];
  for (const known of await store.list()) {
    const reason = whyDue(known, caller.now(), false);
    if (reason === undefined) {
      if (!dryRun) await endAbandonedIn(store, known, caller.env);
      continue;
    }
    const { id, version } = known.record;
    // One that is committed meanwhile has nothing more to lose.
    if (!isDone(known) && store.isKeptFromSweeps(id)) continue;
    const outcome = await sweepOne(repository, store, known, caller, dryRun);
    if (outcome !== undefined && !("why" in outcome)) pruned.push({ id, version, reason, ...outcome });
    else if (outcome !== undefined && !dryRun && caller.onLeft) {
      caller.onLeft(`The snapshot ${id} of ${version} stays, although ${reason}: ${outcome.why} ${WAY_OUT}`);
      if (outcome.lasts) await store.keepFromSweeps(id);
    }
  }
  return pruned;
}

const WAY_OUT = "`git kai-version snapshot prune` tries it again, and names what is in the way or would be lost.";

/** Not worth a word: whoever works on it, or whose it is, takes it away. */
const OF_OTHERS = ["E113", "E125"];

/** Or why it stays, and whether it `lasts`: what else is in the way may be gone the next time, and keeps nobody from trying a version. */
async function sweepOne(
  repository: Repository,
  store: SnapshotStore,
  known: KnownSnapshot,
  caller: Caller,
  dryRun: boolean,
): Promise<Gone | { readonly why: string; readonly lasts: boolean } | undefined> {
  try {
    const gone = await pruneOne(repository, store, known, caller, { dryRun, sparing: true });
    return gone === "spared" ? { why: "what can be in no version would be lost with it.", lasts: true } : gone;
  } catch (cause) {
    if (caller.interrupted?.aborted) throw cause;
    const code = cause instanceof KaiError ? cause.code : undefined;
    if (code !== undefined && OF_OTHERS.includes(code)) return undefined;
    return { why: whyLeft(cause).reason, lasts: code === "E128" };
  }
}

/** Says what a sweep has taken away that nobody asked for. */
export function tellSwept(pruned: readonly PrunedSnapshot[], { onSwept }: Caller): void {
  for (const { id, version, reason, kept } of pruned) {
    const saved = kept === null ? "" : `; what it had changed is ${kept.slice(0, 10)} on refs/kai/snapshots/${id}`;
    onSwept?.(`Removed the snapshot ${id} of ${version}: ${reason}${saved}`);
  }
}

/** Whatever one of them meets holds up no other one. */
export function whyLeft(cause: unknown): Pick<LeftSnapshot, "reason" | "hint"> {
  if (cause instanceof KaiError) return { reason: cause.message, hint: cause.hint ?? null };
  const { path: file, message } = cause as NodeJS.ErrnoException;
  return { reason: file === undefined ? message : `${file}: ${reasonOf(cause)}.`, hint: null };
}

/** Whether nobody wants more of it: it is committed, or somebody had begun to take it away. */
const isDone = ({ record, status }: KnownSnapshot): boolean => status === "committed" || record.destroyer !== undefined;

type Gone = Pick<PrunedSnapshot, "kept" | "wouldSave" | "refused">;

/** Undefined where it is not to go any more: somebody else works on it, or has taken it away. */
async function pruneOne(
  repository: Repository,
  store: SnapshotStore,
  due: KnownSnapshot,
  caller: Caller,
  { dryRun, sparing = false }: PruneHow,
): Promise<Gone | "spared" | undefined> {
  const look = async (known: KnownSnapshot) => {
    const found = isDone(known) ? undefined : await findJudgedChanges(repository, known, caller);
    const changed = found && (found.changes.length > 0 || found.truncated) ? found : undefined;
    const refused = found && !known.record.throwAway ? listRefused(found.refused) : [];
    return { changed, refused, isSpared: sparing && refused.length > 0 };
  };
  if (dryRun) {
    const { changed, refused, isSpared } = await look(due);
    if (isSpared) return "spared";
    const { wouldSave } = await import("./would-save.js");
    return { kept: null, wouldSave: changed !== undefined && (await wouldSave(repository, due, changed)), refused };
  }
  return claimedAtOnce(store, due, { purpose: "snapshot prune", ...caller }, async (known) => {
    // A command may have begun in it meanwhile.
    if (isInUse(known)) return undefined;
    const { record } = known;
    await requireOwnFolder(store, record);
    // One that is spared each time has Podman asked but once, which frees its place.
    if (sparing && !isLive(known.status) && (await look(known)).isSpared) return "spared";
    await takeContainerAway(store, record, caller.env);
    const { changed, refused, isSpared } = await look(known);
    if (isSpared) return "spared";
    const still: KnownSnapshot = { ...known, status: "stopped" };
    const saved = changed && (await saveStillSnapshot(repository, still, caller));
    await destroyRecorded(store, record, caller.env);
    return { kept: saved?.made ? saved.commit : null, wouldSave: null, refused };
  });
}
